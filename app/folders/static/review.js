// The review of a table: the doubtful fields of one paper after another, with the keyboard.

import { Boxes, placeOf } from "./playground/boxes.js";
import { Correction, leafAt, schemaAt } from "./playground/correct.js";
import { byId, fill, h } from "./playground/dom.js";
import { drawEvidence, marked, named, unmark } from "./playground/evidence.js";
import { markdown } from "./playground/markdown.js";
import { Viewer } from "./playground/viewer.js";

const PERSON = crypto.randomUUID();
const POLL_MS = 4000;
const PICTURES = /^(application\/pdf|image\/|video\/)/;
const NO_ROWS = "This list has no rows: A adds one.";

class RefusedRequest extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, body) {
  const response = await fetch(`api/${path}`, body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  const told = await response.json();
  if (!response.ok) throw new RefusedRequest(response.status, told.error.message);
  return told;
}

class ReviewPage {
  #schema = {};
  #paper = null; // As the server knows it.
  #pointer = null;
  #boxes = new Boxes([]);
  #done = []; // The numbers of this person's reviews.
  #matches = [];
  #match = 0;
  #turn = 0;
  #drawn = Promise.resolve(); // Until the pages of the paper and their words are there.
  #early = null; // What is typed before the line for it is open.
  #running = Promise.resolve();
  #viewer = new Viewer(byId("viewer"), { light: (box, chosen) => box && chosen && this.#correction.pick(box), page: () => {}, least: () => {} });
  #correction = new Correction(byId("fields").parentElement, (pointer, value, words) => this.do(() => this.#review(pointer, value, placeOf(words))));

  constructor() {
    // The line for a correction belongs above the shortcuts.
    byId("search").before(byId("fields").parentElement.querySelector('[aria-label="Correction"]'));
    byId("fields").addEventListener("click", (event) => {
      const button = event.target.closest("[data-pointer]");
      if (button) this.#choose(button.dataset.pointer);
    });
    byId("words").addEventListener("input", () => this.#look());
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#take();
    });
    byId("export").addEventListener("click", () => this.do(() => this.#export()));
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Runs `step` once what was begun before it has ended: a key that comes early is not lost. */
  do(step) {
    this.#running = this.#running.then(step).catch((error) => {
      if (!(error instanceof RefusedRequest)) throw error;
      this.#tell(error.message, error.status === 409 ? "conflict" : "trouble");
      if (error.status === 409 && this.#paper) return this.#show(this.#paper.name, this.#pointer);
      return undefined;
    });
    return this.#running;
  }

  async start() {
    await this.#count();
    await this.#next(1);
  }

  async #count() {
    const told = await ask("overview");
    this.#schema = told.schema;
    byId("table").textContent = told.table;
    const pair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
    fill(byId("counts"), pair("Papers left", `${told.papers_left} of ${told.papers}`),
      pair("Fields to check", String(told.doubtful)), pair("Fields right", `${told.fields_right} of ${told.fields}`));
  }

  poll() {
    setTimeout(() => this.do(() => this.#count()).finally(() => this.poll()), POLL_MS);
  }

  async #next(step, empty = false) {
    const { name } = await ask("next", { person: PERSON, current: this.#paper?.name ?? null, back: step < 0, empty });
    if (name !== null) return this.#show(name, undefined, empty);
    if (this.#paper) await this.#load(this.#paper.name);
    return this.#tell(empty ? "No field is empty that nobody has accepted." : "Nothing is left to check.");
  }

  /** Shows the paper `name`, at `pointer`, or at its first `empty` field, or at its most doubtful one. */
  async #show(name, pointer, empty = false) {
    const isOther = name !== this.#paper?.name;
    if (isOther) {
      this.#viewer.clear();
      this.#tell("");
    }
    await this.#load(name);
    if (isOther) this.#drawn = this.#pages(name, ++this.#turn);
    const wanted = this.#first(pointer) ?? (empty ? this.#empty()[0] : undefined) ?? this.#doubtful()[0] ?? this.#pointers()[0];
    if (wanted !== undefined) this.#choose(wanted);
  }

  async #load(name) {
    this.#paper = await ask(`paper?name=${encodeURIComponent(name)}`);
    byId("paper").textContent = name;
    const { answer, fields, lists } = this.#paper;
    byId("left").textContent = `${this.#doubtful().length} to check`;
    drawEvidence(byId("fields"), answer, this.#paper, new Set());
    // A list without rows can be chosen, so that it gets one.
    const empty = lists.filter(({ pointer, rows }) => !rows && !this.#button(pointer));
    byId("fields").querySelector("ul").append(...empty.map(({ pointer }) => h("li", {}, h("button", { type: "button", "aria-pressed": "false", data: { pointer } },
      h("span", { class: "name" }, this.#named(pointer)), h("span", { class: "value" }, "no rows")))));
    for (const { pointer, is_doubtful: isDoubtful } of fields) this.#button(pointer)?.toggleAttribute("data-doubtful", isDoubtful);
    this.#correction.close();
    if (this.#paper.error) this.#tell(this.#paper.error, "trouble");
  }

  /** Shows a paper: a picture as its pages, with its words over them once they are read, all else as the server reads it. */
  async #pages(name, turn) {
    const isOver = () => turn !== this.#turn;
    this.#boxes = new Boxes([]);
    byId("text").hidden = byId("viewer").hidden = true;
    const query = `name=${encodeURIComponent(name)}`;
    if (PICTURES.test(this.#paper.type ?? "")) {
      const response = await fetch(`api/content?${query}`);
      const type = response.headers.get("content-type") ?? "";
      const files = response.ok ? [new File([await response.blob()], name.split("/").pop(), { type })] : [];
      if (isOver()) return;
      await this.#viewer.open(files);
    } else {
      await this.#viewer.open([]);
      this.#write(h("p", { class: "hint" }, "The server reads the paper …"));
    }
    let result = null;
    try {
      result = await ask(`reading?${query}`);
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      if (isOver()) return;
      if (byId("viewer").hidden) this.#write(h("p", { class: "hint" }, error.message));
      else this.#tell(error.message, "trouble");
    }
    if (isOver()) return;
    this.#boxes = new Boxes(result ? [{ name: "ocr", result }] : []);
    if (this.#boxes.all.length) {
      byId("text").hidden = true;
      await this.#viewer.draw(this.#boxes);
    } else if (result && byId("viewer").hidden) {
      this.#write(markdown(result.markdown || result.extracted_text || "The paper has no text."));
    }
    if (isOver()) return;
    // What somebody is about to type stays.
    if (document.activeElement?.closest("form")) this.#point();
    else this.#choose(this.#pointer);
  }

  /** Shows a paper as a text. */
  #write(...elements) {
    const prose = h("div", { class: "rich prose" }, ...elements);
    // So that the words of two blocks are apart where a value is looked for.
    for (const block of prose.querySelectorAll("p, li, th, td, h1, h2, h3, h4, h5, h6, pre")) block.append(" ");
    // The headings of a paper are below those of the page, on whatever level they begin.
    for (const heading of prose.querySelectorAll("h3, h4, h5, h6")) for (const [name, value] of [["role", "heading"], ["aria-level", "3"]]) heading.setAttribute(name, value);
    fill(byId("text"), h("h2", { class: "skip" }, "The paper as text"), prose);
    byId("text").hidden = false;
  }

  /** The empty fields that nobody has accepted yet. */
  #empty() {
    return this.#doubtful().filter((pointer) => this.#isEmpty(pointer));
  }

  #isEmpty(pointer) {
    return [null, ""].includes(leafAt(this.#paper.answer, pointer));
  }

  /** The fields that are to be checked: those with a value before empty ones. */
  #doubtful() {
    const { fields, evidence } = this.#paper;
    const sure = ({ pointer }) => (this.#isEmpty(pointer) ? 1 : evidence[pointer]?.probability ?? 0);
    return fields.filter((field) => field.is_doubtful).sort((one, other) => sure(one) - sure(other)).map(({ pointer }) => pointer);
  }

  /** The pointers of what can be chosen, in the order in which it is shown. */
  #pointers() {
    return [...byId("fields").querySelectorAll("[data-pointer]")].map((button) => button.dataset.pointer);
  }

  /** The first of what can be chosen of the field, row or list at `pointer`. */
  #first(pointer) {
    return this.#pointers().find((one) => one === pointer || one.startsWith(`${pointer}/`));
  }

  #named(pointer) {
    return named(pointer, this.#paper.answer);
  }

  /** The innermost list around the chosen field, with the number of its row; `row` is -1 for a list without rows. */
  #place() {
    const around = this.#paper.lists.filter(({ pointer }) => this.#pointer === pointer || this.#pointer.startsWith(`${pointer}/`));
    const list = around.sort((one, other) => other.pointer.length - one.pointer.length)[0];
    return list && { list, row: this.#pointer === list.pointer ? -1 : Number(this.#pointer.slice(list.pointer.length + 1).split("/")[0]) };
  }

  #button(pointer) {
    return byId("fields").querySelector(`[data-pointer="${CSS.escape(pointer)}"]`);
  }

  #choose(pointer) {
    if (pointer === null || leafAt(this.#paper.answer, pointer) === undefined) return;
    this.#pointer = pointer;
    for (const pressed of byId("fields").querySelectorAll('[aria-pressed="true"]')) pressed.setAttribute("aria-pressed", "false");
    const button = this.#button(pointer);
    button?.setAttribute("aria-pressed", "true");
    button?.scrollIntoView({ block: "nearest", behavior: "instant" });
    this.#correction.close();
    if (this.#isField()) this.#correction.open(pointer, this.#paper.answer, schemaAt(this.#schema, pointer), this.#boxes, button?.title);
    this.#point();
  }

  /** Whether a field is chosen, and not a list without rows. */
  #isField() {
    return this.#paper.fields.some(({ pointer }) => pointer === this.#pointer);
  }

  #point() {
    const found = this.#paper.evidence[this.#pointer];
    unmark();
    if (!byId("text").hidden) {
      if (found?.text) marked(byId("text"), { text: String(found.text) })?.scrollIntoView({ block: "nearest" });
    } else this.#viewer.source(found?.page, found?.bounds);
  }

  #move(pointers, step) {
    const at = pointers.indexOf(this.#pointer);
    const next = pointers[at < 0 ? 0 : at + step];
    if (next === undefined) return null;
    this.#choose(next);
    return next;
  }

  async #review(pointer, value, place) {
    const { name: paper, version } = this.#paper;
    const { number } = await ask("review", { paper, pointer, value, place, version });
    this.#done.push(number);
    this.#tell(`${this.#named(pointer)} is ${value === null ? "empty" : String(value)}.`);
    await this.#load(this.#paper.name);
    await this.#count();
    const [next] = this.#doubtful();
    if (next === undefined) await this.#next(1);
    else this.#choose(next);
  }

  async #addRow() {
    const place = this.#place();
    if (!place) return this.#tell("This field is in no list.");
    const { list, row } = place;
    const { number, pointer } = await ask("add-row", { paper: this.#paper.name, pointer: list.pointer, at: row + 1, version: this.#paper.version });
    await this.#changed(number, pointer);
    return this.#tell(`${this.#named(pointer)} is a new row: T types its fields, F takes them from the page.`);
  }

  async #removeRow() {
    const { list, row } = this.#place() ?? {};
    if (!list || row < 0) return this.#tell(list ? "The list has no rows." : "This field is in no list.");
    const pointer = `${list.pointer}/${row}`;
    const { number } = await ask("remove-row", { paper: this.#paper.name, pointer, version: this.#paper.version });
    await this.#changed(number, pointer, `${list.pointer}/${row - 1}`, list.pointer);
    return this.#tell(`${this.#named(pointer)} is removed. U brings it back.`);
  }

  /** Shows the paper after review `number` of its rows, at the first of `pointers` that is there. */
  async #changed(number, ...pointers) {
    this.#done.push(number);
    await this.#load(this.#paper.name);
    await this.#count();
    const wanted = pointers.map((pointer) => this.#first(pointer)).find((one) => one !== undefined) ?? this.#pointers()[0];
    if (wanted !== undefined) this.#choose(wanted);
  }

  async #undo() {
    const number = this.#done.pop();
    if (number === undefined) return this.#tell("There is nothing to undo.");
    const { paper, pointer, change } = await ask("undo", { number });
    await this.#show(paper, pointer);
    await this.#count();
    return this.#tell(change === "added" ? `The new row of ${this.#named(pointer)} is gone.` : `${this.#named(pointer)} is as it was.`);
  }

  async #export() {
    const { written } = await ask("export", {});
    this.#tell(`Written: ${written.join(", ")}`);
  }

  #tell(text, kind = "") {
    byId("told").textContent = text;
    byId("told").dataset.kind = kind;
  }

  async #open() {
    if (!this.#isField()) return this.#tell(NO_ROWS);
    await this.#drawn;
    const words = this.#boxes.all.some(({ kind }) => kind === "word");
    if (!words) return this.#tell("The words of this page are not known: type the value with T.", "conflict");
    byId("search").hidden = false;
    byId("words").value = "";
    this.#look();
    return this.#edit(byId("words"));
  }

  /** Goes to `input`, and types what was typed before it was there. */
  #edit(input) {
    const keys = this.#early ?? [];
    this.#early = null;
    input.focus();
    input.select();
    const text = keys.filter((key) => key.length === 1).join("");
    if (text) input.value = text;
    if (text) input.dispatchEvent(new Event("input"));
    if (keys.includes("Enter")) input.form.requestSubmit();
  }

  /** Finds the rows of words that begin with those that were typed; the last one may go on. */
  #look() {
    const wanted = byId("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const words = this.#boxes.all.filter(({ kind }) => kind === "word");
    const says = (box, word, isLast) => box !== undefined && (isLast ? box.text.toLowerCase().startsWith(word) : box.text.toLowerCase() === word);
    this.#matches = wanted.length ? words.flatMap((_, start) => {
      const row = wanted.map((word, index) => words[start + index]);
      const isRow = row.every((box, index) => says(box, wanted[index], index === wanted.length - 1) && box.page === row[0].page);
      return isRow ? [row] : [];
    }) : [];
    this.#light(0);
  }

  #light(match) {
    this.#match = match;
    const { length } = this.#matches;
    byId("matches").textContent = length ? `Place ${match + 1} of ${length}: Enter takes it, the arrow keys go to others.`
      : byId("words").value.trim() ? "No words of the page begin so." : "Type how the words begin.";
    this.#viewer.light(this.#matches[match] ?? [], true);
  }

  #take() {
    const row = this.#matches[this.#match];
    if (!row) return;
    byId("search").hidden = true;
    this.#viewer.light([]);
    this.#correction.pick(row[0]);
    if (row.length > 1) this.#correction.pick(row.at(-1));
    const form = byId("fields").parentElement.querySelector('[aria-label="Correction"]');
    form.requestSubmit();
    const input = form.querySelector("input");
    // What does not fit the field can be changed.
    if (form.hidden) document.activeElement.blur();
    else input.focus();
  }

  #leave() {
    byId("search").hidden = true;
    this.#viewer.light([]);
    document.activeElement?.blur();
    if (this.#pointer !== null) this.#choose(this.#pointer);
  }

  #key(event) {
    if (event.key === "Escape") return this.#leave();
    if (event.target.id === "words") {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const { length } = this.#matches;
      if (!step || !length) return undefined;
      event.preventDefault();
      return this.#light((this.#match + step + length) % length);
    }
    const isUndo = (event.ctrlKey || event.metaKey) && event.key === "z";
    if (event.target.closest("input") || event.altKey || ((event.ctrlKey || event.metaKey) && !isUndo)) return undefined;
    // Of what can be pressed, only fields do something else than Enter does everywhere.
    if (event.key === "Enter" && event.target.closest("button:not([data-pointer])")) return undefined;
    if (/^Arrow/.test(event.key) && event.target.closest(".overlay, .pages")) return undefined;
    if (this.#early !== null) {
      event.preventDefault();
      this.#early.push(event.key);
      return undefined;
    }
    const step = this.#step(isUndo ? "u" : event.key.toLowerCase());
    if (!step) return undefined;
    event.preventDefault();
    if (!"tf/".includes(event.key.toLowerCase())) return this.do(step);
    this.#early = [];
    return this.do(step).finally(() => { this.#early = null; });
  }

  #step(key) {
    const isOpen = this.#paper !== null && this.#pointer !== null;
    if (!isOpen && !"uspn".includes(key)) return null;
    return {
      enter: () => this.#accept(), a: () => this.#addRow(), d: () => this.#removeRow(), delete: () => this.#removeRow(),
      t: () => this.#type(), f: () => this.#open(), "/": () => this.#open(), u: () => this.#undo(),
      j: () => this.#move(this.#doubtful(), 1) ?? this.#next(1), k: () => this.#move(this.#doubtful(), -1) ?? this.#next(-1),
      e: () => this.#move(this.#empty(), 1) ?? this.#next(1, true),
      arrowdown: () => this.#move(this.#pointers(), 1), arrowup: () => this.#move(this.#pointers(), -1),
      n: () => this.#next(1), p: () => this.#next(-1), s: () => this.#export(),
    }[key];
  }

  #accept() {
    if (!this.#isField()) return this.#tell(NO_ROWS);
    return this.#review(this.#pointer, leafAt(this.#paper.answer, this.#pointer), null);
  }

  #type() {
    if (!this.#isField()) return this.#tell(NO_ROWS);
    return this.#edit(byId("fields").parentElement.querySelector('[data-testid="correction"]'));
  }
}

const review = new ReviewPage();
review.do(() => review.start());
review.poll();
