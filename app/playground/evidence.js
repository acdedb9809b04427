// The fields of an answer, each with where it comes from and how sure that is.

import { certainty, clock, fill, h, isWhole, link, percent, roving, sureness, unbroken } from "./dom.js";

const MATCHES = {
  exact: "found as it is", normalised: "found in another notation", fuzzy: "found, except for some letters",
  derived: "follows from the text",
};

/** Which fields of an answer come from where: from boxes on pages, and from seconds of a recording. */
export class Fields {
  #found; // By JSON pointer: the evidence of each field that has some.
  #boxes; // By JSON pointer: what is boxed where it stands.

  constructor(evidence = {}, boxes) {
    this.#found = new Map(Object.entries(evidence).filter(([, found]) => found));
    this.#boxes = new Map([...this.#found].map(([pointer, found]) => [pointer, found.bounds ? within(boxes, found) : []]));
  }

  /** What is known of the source of the field at `pointer`; null where nothing is. */
  of(pointer) {
    return this.#found.get(pointer) ?? null;
  }

  boxes(pointer) {
    return this.#boxes.get(pointer) ?? [];
  }

  /** The pointers of the fields that come from `box`. */
  from(box) {
    return [...this.#boxes].filter(([, boxes]) => boxes.includes(box)).map(([pointer]) => pointer);
  }

  /** The pointers of the fields that were said between two seconds. */
  between(start, end) {
    return [...this.#found].filter(([, { timestamp }]) => timestamp && timestamp[0] < end && timestamp[1] > start)
      .map(([pointer]) => pointer);
  }
}

/** The words and elements whose middle lies within what was found. */
function within(boxes, { page = 1, bounds }) {
  const { top_left: first, bottom_right: last } = bounds;
  return (boxes.pages.get(page)?.boxes ?? []).filter(({ kind, points }) => {
    if (kind !== "word" && kind !== "element") return false;
    const [x, y] = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
    return x >= first.x && x <= last.x && y >= first.y && y <= last.y;
  });
}

/**
 * Marks in the text below `root` where the words of `found` stand, in the passage that they are of where that can be told;
 * null where they do not stand there.
 */
export function marked(root, { text, passage = text }) {
  for (const prose of root.querySelectorAll(".prose")) {
    const around = spanOf(prose.textContent, passage, MARKUP);
    const within = around && spanOf(prose.textContent.slice(...around), text);
    const span = within ? within.map((at) => at + around[0]) : spanOf(prose.textContent, text);
    if (span) return wrapped(prose, span);
  }
  return null;
}

export function unmark() {
  for (const mark of document.querySelectorAll("mark.source")) {
    const parent = mark.parentNode;
    mark.replaceWith(mark.textContent);
    parent.normalize();
  }
}

/** What Markdown has in a line that its text has not. */
const MARKUP = "*_~`";

/** Where the words of `wanted` follow each other in `text`, whatever blanks and `passed` are between; null where not. */
function spanOf(text, wanted, passed = "") {
  const any = passed && `[${passed}]*`;
  // Nothing that may be passed is looked for: a row of it could be passed in too many ways.
  const words = wanted.split(/\s+/).map((word) => [...word].filter((letter) => !passed.includes(letter))).filter(({ length }) => length)
    .map((letters) => letters.map((letter) => letter.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&")).join(any));
  const found = words.length && new RegExp(`(?<![^\\s${passed}])${words.join(`[\\s${passed}]+`)}(?![^\\s${passed}])`).exec(text);
  return found ? [found.index, found.index + found[0].length] : null;
}

/** The characters from `start` to `end` of the text of `prose` as marks, one for each piece of it. Gives the first. */
function wrapped(prose, [start, end]) {
  const texts = document.createTreeWalker(prose, NodeFilter.SHOW_TEXT);
  const parts = [];
  for (let at = 0; at < end && texts.nextNode(); at += texts.currentNode.length) {
    const node = texts.currentNode;
    if (at + node.length > start) parts.push([node, Math.max(start - at, 0), Math.min(end - at, node.length)]);
  }
  const marks = parts.map(([node, from, to]) => {
    const range = document.createRange();
    range.setStart(node, from);
    range.setEnd(node, to);
    const mark = h("mark", { class: "source" });
    range.surroundContents(mark);
    return mark;
  });
  return marks[0] ?? null;
}

const LONG_NAME = 12; // Letters of a name that stands above its value, so that values stay in line.
const LONG_VALUE = 24; // Letters of a value for which a column is wide.

/** A button a field, which has its pointer; a list of objects is a table. `corrected` has the pointers that a person corrected. */
export function drawEvidence(root, value, { evidence, unsupported = [] }, corrected) {
  const state = (pointer, leaf) => {
    const found = corrected.has(pointer) ? undefined : evidence[pointer];
    const nothing = unsupported.includes(pointer) ? 0 : undefined;
    const probability = found?.probability ?? nothing;
    const word = corrected.has(pointer) ? "corrected" : found?.match === "reviewed" ? "reviewed" : certainty(leaf, probability);
    return { name: named(pointer, value), found, word, probability: leaf === null || leaf === "" ? undefined : probability };
  };
  fill(root, h("ul", { class: "sources" }, [...parts(value, "", state)]));
}

function* parts(value, pointer, state) {
  if (value === null || typeof value !== "object") {
    if (pointer) yield row(pointer, value, state(pointer, value));
    return;
  }
  const isTable = isRows(value);
  if (isTable) yield table(value, pointer, state);
  for (const [key, child] of Object.entries(value)) {
    if (!isTable) yield* parts(child, below(pointer, key), state);
    // What does not fit into a cell.
    else for (const [name, deeper] of Object.entries(child)) if (!isLeaf(deeper)) yield* parts(deeper, below(below(pointer, key), name), state);
  }
}

const isLeaf = (value) => value === null || typeof value !== "object";
const isRows = (value) => Array.isArray(value) && value.length > 0 && value.every((one) => !isLeaf(one) && !Array.isArray(one));

function table(rows, pointer, state) {
  const columns = [...new Set(rows.flatMap((one) => Object.keys(one).filter((key) => isLeaf(one[key]))))];
  const cell = (one, index, key) => (key in one && isLeaf(one[key])
    ? h("td", {}, cellButton(below(below(pointer, String(index)), key), one[key], state)) : h("td", {}));
  return h("li", {}, h("p", { class: "name" }, state(pointer).name),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": state(pointer).name }, h("table", {},
      h("thead", {}, h("tr", {}, columns.map((key) => h("th", { scope: "col" }, key)))),
      h("tbody", {}, rows.map((one, index) => h("tr", {}, columns.map((key) => cell(one, index, key))))))));
}

function cellButton(pointer, value, state) {
  const { found, word, probability } = state(pointer, value);
  const told = [word, probability ? percent(probability) : null, found?.text].filter(Boolean).join(" · ");
  const text = written(value);
  return h("button", { type: "button", class: `cell ${text.length > LONG_VALUE ? "long " : ""}${sureness(probability)}`, "aria-pressed": "false",
    title: told || null, data: { pointer, ...(word ? { certainty: word } : {}) } }, unbroken(text));
}

/** JSON in lines, each value of it an element with its pointer. */
export function writtenOut(value) {
  const block = h("pre", { class: "code", role: "group", "aria-label": "Answer. Arrow keys go from value to value." }, lines(value, "", ""));
  roving(block, ".leaf");
  return block;
}

function lines(value, pointer, indent) {
  const isList = Array.isArray(value);
  if (value === null || typeof value !== "object" || !Object.keys(value).length) {
    const text = JSON.stringify(value);
    return [h("span", { class: isWhole(text) ? "leaf whole" : "leaf", tabindex: -1, data: { pointer } }, text)];
  }
  const [open, close] = isList ? "[]" : "{}";
  const members = Object.entries(value).flatMap(([key, child], index) => [
    index ? ",\n" : "\n", `${indent}  `, isList ? "" : `${JSON.stringify(key)}: `, ...lines(child, below(pointer, key), `${indent}  `),
  ]);
  return [open, ...members, `\n${indent}${close}`];
}

const below = (pointer, key) => `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** The name of the field at `pointer` of the answer `whole`, in which rows count from 1. */
export function named(pointer, whole) {
  let part = whole;
  return pointer.slice(1).split("/").map((step) => {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    const name = Array.isArray(part) ? String(Number(key) + 1) : key;
    part = part?.[key];
    return name;
  }).join(" › ");
}

const written = (value) => (value === null ? "—" : String(value));

const BADGES = { unsure: "badge warn", corrected: "badge good", reviewed: "badge good" };

function row(pointer, value, { name, found, word, probability }) {
  return h("li", {},
    h("button", { type: "button", "aria-pressed": "false", data: { pointer, ...(word ? { certainty: word } : {}) } },
      h("span", { class: name.length > LONG_NAME ? "name long" : "name" }, name), h("span", { class: "value" }, unbroken(written(value))),
      word ? h("span", { class: "meter" }, h("span", { class: BADGES[word] ?? null }, word), probability ? percent(probability) : null) : null),
    found ? h("p", { class: "passage" }, ...passage(found)) : null);
}

function passage(found) {
  const place = [
    found.page === undefined ? null : `page ${found.page}`,
    found.timestamp === undefined ? null : `at ${clock(found.timestamp[0])}`,
    found.speaker, found.name === "request" ? "in the prompt" : found.name,
  ].filter(Boolean).join(", ");
  return [
    found.text ? h("q", {}, unbroken(String(found.text))) : "", " ", h("span", {}, place),
    found.match ? h("span", {}, `, ${MATCHES[found.match] ?? found.match}`) : "", " ",
    found.url ? link(found.url) : "",
  ];
}
