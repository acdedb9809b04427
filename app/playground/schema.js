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
    add.addEventListener("click", () => {
      this.#fields.push({ name: "", type: "text", description: "" });
      this.#show();
      this.#list.lastElementChild.querySelector("input").focus();
    });
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
    const named = this.#fields.filter(({ name }) => name.trim());
    const properties = Object.fromEntries(named.map(({ name, type, description }) =>
      [name.trim(), { ...TYPES[type], ...(description.trim() ? { description: description.trim() } : {}) }]));
    const schema = { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
    this.#raw.value = named.length ? JSON.stringify(schema, null, 2) : "";
    this.#raw.removeAttribute("aria-invalid");
    this.#tell();
  }

  #show() {
    fill(this.#list, this.#fields.map((field, index) => {
      const set = (name) => (event) => {
        field[name] = event.target.value;
        this.#write();
      };
      const number = index + 1;
      return h("div", { class: "field-row", role: "group", "aria-label": `Field ${number}` },
        h("input", { value: field.name, placeholder: "name", "aria-label": `Name of field ${number}`, spellcheck: "false", oninput: set("name") }),
        h("select", { "aria-label": `Type of field ${number}`, onchange: set("type") },
          Object.keys(TYPES).map((type) => h("option", { selected: type === field.type }, type))),
        h("input", { value: field.description, placeholder: "what it is", "aria-label": `Description of field ${number}`, oninput: set("description") }),
        h("button", { type: "button", class: "quiet", "aria-label": `Remove field ${number}`, onclick: () => {
          this.#fields.splice(index, 1);
          this.#show();
          this.#write();
        } }, "×"));
    }));
  }
}

/** The fields of a schema that the list can show; null for any other. */
function fieldsOf(schema) {
  if (!schema) return [];
  const fields = [];
  for (const [name, { description = "", ...rest }] of Object.entries(schema.properties ?? {})) {
    const type = Object.keys(TYPES).find((one) => JSON.stringify(TYPES[one]) === JSON.stringify(rest));
    if (!type) return null;
    fields.push({ name, type, description });
  }
  return fields;
}
