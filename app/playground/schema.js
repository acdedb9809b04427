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
const DEEPEST = 2; // Levels of fields within fields.

/** A new field may be null: a paper that does not have it is answered all the same. */
const blank = () => ({ name: "", type: "text", description: "", isNullable: true, fields: [] });

export class SchemaBuilder {
  #list;
  #raw;
  #note;
  #changed;
  #fields = [];
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
      this.#fields = fieldsOf(this.#written()) ?? [];
      this.#show();
    } catch {
      this.#raw.setAttribute("aria-invalid", "true");
    }
    this.#tell();
  }

  #write() {
    const schema = objectOf(this.#fields);
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
      const types = [...Object.keys(TYPES), ...(depth < DEEPEST ? Object.keys(NESTED) : [])];
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

function schemaOf({ type, description, isNullable, fields }) {
  const schema = type === "group" ? objectOf(fields) : type === "list of rows" ? { type: "array", items: objectOf(fields) }
    : isNullable ? nullable(TYPES[type]) : TYPES[type];
  return { ...schema, ...(description.trim() ? { description: description.trim() } : {}) };
}

/** An empty list says already that there is nothing. */
const nullable = (schema) => (schema.type === "array" ? schema : { ...schema, type: [schema.type, "null"] });

/** The fields of a schema that the list can show; null for any other. */
function fieldsOf(schema, depth = 1) {
  const fields = Object.entries(schema?.properties ?? {}).map(([name, { description = "", ...rest }]) => {
    const isSame = (one) => JSON.stringify(one) === JSON.stringify(rest);
    const plain = Object.keys(TYPES).find((type) => isSame(TYPES[type]) || isSame(nullable(TYPES[type])));
    if (plain) return { name, description, type: plain, isNullable: !isSame(TYPES[plain]), fields: [] };
    const type = rest.type === "array" ? "list of rows" : "group";
    const own = depth < DEEPEST ? ownFields(type === "group" ? rest : rest.items, depth) : null;
    const isAll = type === "group" || Object.keys(rest).every((key) => key === "type" || key === "items");
    return own && isAll ? { name, description, type, isNullable: true, fields: own } : null;
  });
  return fields.includes(null) ? null : fields;
}

/** The fields of an object within a schema; null where it says more than the list can show. */
function ownFields(object, depth) {
  const isPlain = object?.type === "object"
    && Object.keys(object).every((key) => ["type", "properties", "required", "additionalProperties"].includes(key));
  return isPlain ? fieldsOf(object, depth + 1) : null;
}
