// Papers whose answers a person corrected: they go before the next paper, as examples.

import { byId, fill, h } from "./dom.js";

const MOST = 8; // The server reads no more.

export class ExamplePicker {
  #kept = []; // {files, prompt, schema, answer}
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  /** Keeps the right answer for a paper, in place of what was kept for it before. */
  keep(example) {
    this.#kept = [...this.#kept.filter((one) => !isOf(one, example.files)), example].slice(-MOST);
    this.#draw();
  }

  /** The examples for `schema`, but for those of the very paper that is asked about. */
  of(schema, files) {
    const asked = JSON.stringify(schema);
    return this.#kept.filter((one) => schema && JSON.stringify(one.schema) === asked && !isOf(one, files));
  }

  #draw() {
    byId("examples-part").hidden = !this.#kept.length;
    fill(byId("examples"), this.#kept.map((one) => h("li", {}, h("span", { class: "name" }, nameOf(one)),
      h("button", { type: "button", class: "quiet", "aria-label": `Forget the example ${nameOf(one)}`, onclick: () => {
        this.#kept = this.#kept.filter((other) => other !== one);
        this.#draw();
      } }, "×"))));
    this.#changed();
  }
}

const isOf = (one, files) => one.files.length === files.length && one.files.every((file, index) => file === files[index]);

const nameOf = ({ files, prompt }) => files.map(({ name }) => name).join(", ") || prompt.slice(0, 40);
