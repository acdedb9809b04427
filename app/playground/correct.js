// The correction of a field: typed, or taken from the page by its words.

import { fill, h } from "./dom.js";
import { named } from "./evidence.js";

/** What `text` is as a value of `schema`. Raises RangeError for what is none. */
export function valueOf(text, schema) {
  const types = typesOf(schema);
  const said = text.trim();
  if (!said && types.includes("null")) return null;
  if (schema.enum) return oneOf(said, schema.enum);
  if (types.includes("boolean")) return truth(said);
  if (types.includes("number") || types.includes("integer")) return number(said, types.includes("integer"));
  if (schema.format === "date" && !/^\d{4}-\d{2}-\d{2}$/.test(said)) throw new RangeError("A date is written as 2026-03-12.");
  return said;
}

const typesOf = (schema) => [schema, ...(schema.anyOf ?? [])].flatMap(({ type }) => type ?? []);

function oneOf(said, choices) {
  const found = choices.find((one) => String(one) === said);
  if (found === undefined) throw new RangeError(`It is one of ${choices.join(", ")}.`);
  return found;
}

function truth(said) {
  if (/^(true|yes)$/i.test(said)) return true;
  if (/^(false|no)$/i.test(said)) return false;
  throw new RangeError("It is yes or no.");
}

/** A number as it is typed or printed: "1234.5", "1.234,50 €", "$1,234". */
function number(said, isWhole) {
  const figures = said.replace(/[^\d.,-]/g, "");
  const fraction = /[.,](\d{1,2})$/.exec(figures);
  const whole = (fraction ? figures.slice(0, fraction.index) : figures).replace(/[.,]/g, "");
  const value = said !== "" && Number.isFinite(Number(said)) ? Number(said) : Number(`${whole}.${fraction?.[1] ?? "0"}`);
  if (!/\d/.test(said) || !Number.isFinite(value)) throw new RangeError("It is a number.");
  if (isWhole && !Number.isInteger(value)) throw new RangeError("It is a whole number.");
  return value;
}

const keysOf = (pointer) => pointer.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));

export const leafAt = (value, pointer) => keysOf(pointer).reduce((part, key) => part?.[key], value);

/** The part of `schema` that describes the value at `pointer`; empty where it says nothing of it. */
export function schemaAt(schema, pointer) {
  return keysOf(pointer).reduce((part, key) => part?.properties?.[key] ?? part?.items ?? {}, schema);
}

/** `value` with `leaf` at `pointer`. */
export function replaced(value, pointer, leaf) {
  const whole = structuredClone(value);
  const keys = keysOf(pointer);
  const last = keys.pop();
  keys.reduce((part, key) => part[key], whole)[last] = leaf;
  return whole;
}

/** A line below the fields in which the chosen one is corrected. */
export class Correction {
  #form;
  #label = h("span", { class: "name" });
  #input = h("input", { spellcheck: "false", dir: "auto", "data-testid": "correction", "aria-describedby": "correct-hint" });
  #hint = h("p", { id: "correct-hint", class: "hint", role: "status" });
  #pointer = null;
  #schema = {};
  #picked = []; // The first and the last word that were taken from the page.
  #boxes = null;
  #corrected;

  /** `corrected(pointer, value, words)` is called with the boxes of the words that were taken, if any. */
  constructor(root, corrected) {
    this.#corrected = corrected;
    this.#form = h("form", { class: "correct", hidden: true, "aria-label": "Correction", onsubmit: (event) => {
      event.preventDefault();
      this.#set();
    } }, h("label", {}, this.#label, this.#input), h("button", { type: "submit", class: "secondary" }, "Correct"), this.#hint);
    root.append(this.#form);
  }

  /** Offers to correct the field at `pointer` of the answer `whole` by the words of `boxes`; `told` is known of its value. */
  open(pointer, whole, schema, boxes, told = "") {
    if (pointer === this.#pointer) return;
    [this.#pointer, this.#schema, this.#boxes, this.#picked] = [pointer, schema, boxes, []];
    fill(this.#label, named(pointer, whole), told && h("span", { class: "hint" }, ` · ${told}`));
    this.#input.value = leafAt(whole, pointer) ?? "";
    this.#input.removeAttribute("aria-invalid");
    this.#hint.textContent = boxes.kinds().includes("word") ? "Wrong? Type it, or click its first and its last word on the page." : "Wrong? Type it.";
    this.#form.hidden = false;
  }

  close() {
    this.#pointer = null;
    this.#form.hidden = true;
  }

  /** Takes a word of the page that was clicked: alone, or as the end of what began with the click before. */
  pick(box) {
    if (this.#pointer === null || box.kind !== "word") return;
    this.#picked = this.#picked.length === 1 && this.#picked[0].page === box.page && box.id > this.#picked[0].id ? [this.#picked[0], box] : [box];
    this.#input.value = this.#words().map(({ text }) => text).join(" ");
  }

  #words() {
    if (!this.#picked.length) return [];
    const [first, last] = [this.#picked[0], this.#picked.at(-1)];
    return this.#boxes.all.filter(({ id, kind }) => kind === "word" && id >= first.id && id <= last.id);
  }

  #set() {
    let value;
    try {
      value = valueOf(this.#input.value, this.#schema);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#input.setAttribute("aria-invalid", "true");
      this.#hint.textContent = error.message;
      return;
    }
    const [pointer, words] = [this.#pointer, this.#words()];
    this.close();
    this.#corrected(pointer, value, words);
  }
}
