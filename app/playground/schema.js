// The schema of an answer: fields in a list, or raw JSON. The raw text is what counts; the list follows it.
// A task that runs by itself fills in no fields: they stay written, are not sent, and a note says so.

import { fill, h } from "./dom.js";

const TYPES = {
  text: { type: "string" },
  number: { type: "number" },
  integer: { type: "integer" },
  "yes or no": { type: "boolean" },
  date: { type: "string", format: "date" },
  "list of texts": { type: "array", items: { type: "string" } },
  "list of numbers": { type: "array", items: { type: "number" } },
};
/** Types whose own fields are listed below them, with what one of these is called. */
const NESTED = { "list of rows": "column", group: "part" };
const CHOICE = "choice"; // One of several texts, a line each.
const OTHER = "as in the JSON"; // What says more than the list can show stays as it is written there.
const DEEPEST = 2; // Levels of fields within fields.

/** A new field may be null: a paper that does not have it is answered all the same. */
const blank = () => ({ name: "", type: "text", description: "", isNullable: true, fields: [], choices: [], written: null });

export class SchemaBuilder {
  #list;
  #raw;
  #note;
  #changed;
  #fields = [];
  #around = {}; // What the schema says beside its fields.
  #off = false;

  constructor({ list, raw, add, note }, changed) {
    this.#list = list;
    this.#raw = raw;
    this.#note = note;
    this.#changed = changed;
    raw.addEventListener("input", () => this.#read());
    add.addEventListener("click", () => this.#add(this.#fields, ""));
  }

  /** The schema that is sent, or null. Raises SyntaxError for what is no JSON. */
  get value() {
    return this.#off ? null : this.#written();
  }

  set value(schema) {
    this.#raw.value = schema ? JSON.stringify(schema, null, 2) : "";
    this.#read();
  }

  set off(off) {
    this.#off = off;
    this.#tell();
  }

  #written() {
    const text = this.#raw.value.trim();
    if (!text) return null;
    const schema = JSON.parse(text);
    if (typeof schema !== "object" || schema === null || Array.isArray(schema)) throw new SyntaxError("it is not a JSON object");
    return schema;
  }

  #tell() {
    const unsent = this.#off && this.#raw.value.trim() !== "";
    this.#note.hidden = !unsent;
    for (const part of [this.#list, this.#raw]) part.classList.toggle("unsent", unsent);
    this.#changed();
  }

  #read() {
    this.#raw.removeAttribute("aria-invalid");
    try {
      const { type, properties, required, ...around } = this.#written() ?? {};
      this.#around = { additionalProperties: false, ...around };
      this.#fields = fieldsOf({ properties }, 1);
      this.#show();
    } catch {
      this.#raw.setAttribute("aria-invalid", "true");
    }
    this.#tell();
  }

  #write() {
    const schema = { ...objectOf(this.#fields), ...this.#around };
    this.#raw.value = schema.required.length ? JSON.stringify(schema, null, 2) : "";
    this.#raw.removeAttribute("aria-invalid");
    this.#tell();
  }

  #add(fields, within) {
    fields.push(blank());
    this.#show(`Name of field ${within}${fields.length}`);
  }

  /** Draws the list; the part with the label `focused` gets the focus. */
  #show(focused) {
    fill(this.#list, this.#rows(this.#fields, "", 1));
    if (focused) this.#list.querySelector(`[aria-label="${focused}"]`).focus();
  }

  /** A row for each of `fields`, and below it those of its own; `within` numbers what they are part of ("2."). */
  #rows(fields, within, depth) {
    return fields.flatMap((field, index) => {
      const number = `${within}${index + 1}`;
      const set = (name) => (event) => {
        field[name] = event.target.value;
        this.#write();
      };
      const retype = ({ target }) => {
        field.type = target.value;
        if (NESTED[field.type] && !field.fields.length) field.fields.push(blank());
        this.#show(`Type of field ${number}`);
        this.#write();
      };
      const types = [...Object.keys(TYPES), CHOICE, ...(depth < DEEPEST ? Object.keys(NESTED) : []), ...(field.written ? [OTHER] : [])];
      const row = h("div", { class: "field-row", role: "group", "aria-label": `Field ${number}` },
        h("input", { value: field.name, placeholder: "name", "aria-label": `Name of field ${number}`, spellcheck: "false", oninput: set("name") }),
        h("select", { "aria-label": `Type of field ${number}`, onchange: retype },
          types.map((type) => h("option", { selected: type === field.type }, type))),
        h("input", { value: field.description, placeholder: "what it is", "aria-label": `Description of field ${number}`, oninput: set("description") }),
        h("button", { type: "button", class: "quiet", "aria-label": `Remove field ${number}`, onclick: () => {
          fields.splice(index, 1);
          this.#show();
          this.#write();
        } }, "×"));
      if (field.type === CHOICE) row.append(h("textarea", { rows: 2, placeholder: "a choice a line", "aria-label": `Choices of field ${number}`, spellcheck: "false",
        oninput: ({ target }) => {
          field.choices = target.value.split("\n").map((line) => line.trim()).filter(Boolean);
          this.#write();
        } }, field.choices.join("\n")));
      if (!NESTED[field.type]) return [row];
      const add = h("button", { type: "button", class: "quiet", onclick: () => this.#add(field.fields, `${number}.`) }, `Add a ${NESTED[field.type]}`);
      return [row, h("div", { class: "fields nested" }, this.#rows(field.fields, `${number}.`, depth + 1), add)];
    });
  }
}

function objectOf(fields) {
  const named = fields.filter(({ name }) => name.trim());
  const properties = Object.fromEntries(named.map((field) => [field.name.trim(), schemaOf(field)]));
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

function schemaOf({ type, description, isNullable, fields, choices, written }) {
  const schema = type === "group" ? objectOf(fields) : type === "list of rows" ? { type: "array", items: objectOf(fields) }
    : type === OTHER ? written : type === CHOICE ? choiceOf(choices, isNullable) : isNullable ? nullable(TYPES[type]) : TYPES[type];
  return { ...schema, ...(description.trim() ? { description: description.trim() } : {}) };
}

/** An empty list says already that there is nothing. */
const nullable = (schema) => (schema.type === "array" ? schema : { ...schema, type: [schema.type, "null"] });

/** A choice without texts yet is any text. */
function choiceOf(choices, isNullable) {
  if (!choices.length) return isNullable ? nullable(TYPES.text) : TYPES.text;
  return isNullable ? { type: ["string", "null"], enum: [...choices, null] } : { type: "string", enum: choices };
}

function fieldsOf({ properties = {} }, depth) {
  return Object.entries(properties).map(([name, { description = "", ...rest }]) => {
    const field = { ...blank(), name, description };
    const isSame = (one) => JSON.stringify(one) === JSON.stringify(rest);
    const plain = Object.keys(TYPES).find((type) => isSame(TYPES[type]) || isSame(nullable(TYPES[type])));
    if (plain) return { ...field, type: plain, isNullable: !isSame(TYPES[plain]) };
    const choices = choicesOf(rest);
    if (choices) return { ...field, type: CHOICE, isNullable: rest.enum.includes(null), choices };
    const type = rest.type === "array" ? "list of rows" : "group";
    const own = depth < DEEPEST ? ownFields(type === "group" ? rest : rest.items, depth) : null;
    const isAll = type === "group" || Object.keys(rest).every((key) => key === "type" || key === "items");
    return own && isAll ? { ...field, type, fields: own } : { ...field, type: OTHER, written: rest };
  });
}

/** The texts of which a field is one; null where it may be anything else. */
function choicesOf({ type = "string", enum: listed, ...more }) {
  const isPlain = listed && Object.keys(more).length === 0 && [type].flat().every((one) => one === "string" || one === "null");
  const texts = isPlain ? listed.filter((one) => one !== null) : [];
  return texts.length && texts.every((one) => typeof one === "string") ? texts : null;
}

/** The fields of an object within a schema; null where it says more than the list can show. */
function ownFields(object, depth) {
  const isPlain = object?.type === "object"
    && Object.keys(object).every((key) => ["type", "properties", "required", "additionalProperties"].includes(key));
  return isPlain ? fieldsOf(object, depth + 1) : null;
}
