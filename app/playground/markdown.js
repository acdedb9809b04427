// What a model says, as Markdown: headings, paragraphs, lists, quotes, tables, code, emphasis, links. It is made of
// elements, never of HTML: tags are shown as they were written, and no picture is fetched. The whole takes a time that
// grows with the text alone, whatever stands in it: every search ends at a bound or is remembered.

import { copier, h, isWhole, link } from "./dom.js";

const MOST_NESTED = 12; // Quotes and lists in one another; what is deeper is a paragraph.
const MOST_OPEN = 40; // Marks of emphasis and brackets that wait for their end; of more the first are text.
const MOST_PARENTHESES = 32; // In one another in an address.

const MOST_MARKS = 6; // Of emphasis in a row; more are text.
const MOST_URL = 2000; // Characters of an address that stands in the text by itself.

const FENCE = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})[ \t]*([^\s`]*)/;
const HEADING = /^ {0,3}(#{1,6})(?![^ \t])/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|(?:\*[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-+*]|\d{1,9}[.)])(?:( +)(.*))?$/s;
const UNDERLINE = /^ {0,3}(?:=+|-{2,})[ \t]*$/;
const DIVIDER = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$/; // Of a line without spaces around it.
const PICTURE = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;
const BARE = new RegExp(`https?://[^\\s<>"'\`*|\\\\]{1,${MOST_URL}}`, "iy");
const SPECIAL = /[\\`*_~[\]!<]|https?:/gi;
const PUNCTUATION = /[\p{P}\p{S}]/u;

/** A text that grows: what is complete stays as it was drawn, only the block that it grows by is drawn again. */
export class Growing {
  #root;
  #text = "";
  #done = 0; // Where the last block begins.
  #kept = 0; // Elements before it.
  #timer = 0;
  #took = 0; // Milliseconds of the last drawing: a slow one is followed by a longer rest.

  constructor(root) {
    this.#root = root;
  }

  append(text) {
    this.#text += text;
    this.#timer ||= setTimeout(() => this.#draw(), Math.max(16, 3 * this.#took));
  }

  /** Nothing is drawn any more. */
  stop() {
    clearTimeout(this.#timer);
  }

  #draw() {
    const began = performance.now();
    this.#timer = 0;
    const blocks = blocksOf(linesOf(this.#text.slice(this.#done)), 0);
    while (this.#root.childNodes.length > this.#kept) this.#root.lastChild.remove();
    for (const { element } of blocks) this.#root.append(element);
    this.#took = performance.now() - began;
    if (blocks.length < 2) return;
    this.#kept += blocks.length - 1;
    this.#done += blocks.at(-1).start;
  }
}

/** The elements of a whole text. */
export function markdown(text) {
  return blocksOf(linesOf(text), 0).map(({ element }) => element);
}

/** Each line without its end, and where it begins. */
function linesOf(text) {
  const lines = [];
  for (let start = 0, end; start < text.length; start = end + 1) {
    end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    lines.push({ text: text.slice(start, end).replace(/\r$/, "").replace(/\t/g, "    "), start });
  }
  return lines;
}

const isBlank = ({ text }) => !/\S/.test(text);

const indentOf = (text) => text.length - text.trimStart().length;

function blocksOf(lines, depth) {
  const found = [];
  for (let at = 0; at < lines.length;) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const [element, end] = blockAt(lines, at, depth);
    found.push({ element, start: lines[at].start });
    at = end;
  }
  return found;
}

/** The block that begins at line `at`, and the line after it. */
function blockAt(lines, at, depth) {
  const { text } = lines[at];
  const fence = FENCE.exec(text);
  if (fence) return code(lines, at, fence);
  const heading = HEADING.exec(text);
  if (heading) return [headed(heading[1].length, text.slice(heading[0].length).trim().replace(/(?:^|[ \t])#+$/, "")), at + 1];
  if (RULE.test(text)) return [h("hr"), at + 1];
  if (depth < MOST_NESTED && QUOTE.test(text)) return quote(lines, at, depth);
  const item = ITEM.exec(text);
  if (depth < MOST_NESTED && item) return list(lines, at, item, depth);
  if (isTable(lines, at)) return table(lines, at);
  return paragraph(lines, at);
}

/** Whether a line ends the paragraph before it. */
function begins(lines, at) {
  const { text } = lines[at];
  const item = ITEM.exec(text);
  // As in CommonMark: an empty item, or a number other than 1, may be the text's own.
  const isItem = item !== null && item[4] !== undefined && (!/\d/.test(item[2]) || /^1[.)]/.test(item[2]));
  return FENCE.test(text) || HEADING.test(text) || RULE.test(text) || QUOTE.test(text) || isItem || isTable(lines, at);
}

function paragraph(lines, at) {
  const said = [lines[at].text.trim()];
  let end = at + 1;
  for (; end < lines.length && !isBlank(lines[end]); end += 1) {
    if (UNDERLINE.test(lines[end].text)) {
      return [headed(lines[end].text.trim().startsWith("=") ? 1 : 2, said.join("\n")), end + 1];
    }
    if (begins(lines, end)) break;
    said.push(lines[end].text.trim());
  }
  return [h("p", { dir: "auto" }, inline(said.join("\n"))), end];
}

/** The page has headings of its own above it. */
const headed = (level, text) => h(`h${Math.min(level + 2, 6)}`, { dir: "auto", class: `level-${level}` }, inline(text));

function code(lines, at, [, indent, mark, language]) {
  const closing = new RegExp(`^ {0,3}\\${mark[0]}{${mark.length},}[ \\t]*$`);
  const said = [];
  let end = at + 1;
  for (; end < lines.length && !closing.test(lines[end].text); end += 1) {
    said.push(lines[end].text.slice(Math.min(indentOf(lines[end].text), indent.length)));
  }
  const text = said.join("\n");
  const block = h("figure", { class: "listing" },
    h("figcaption", {}, h("span", {}, language || "code"), h("button", { type: "button", class: "quiet", onclick: copier(() => text) }, "Copy")),
    h("pre", { class: "code", tabindex: 0, "aria-label": language ? `Code: ${language}` : "Code" }, text));
  return [block, end + 1];
}

function quote(lines, at, depth) {
  const inner = [];
  let end = at;
  for (; end < lines.length && !isBlank(lines[end]); end += 1) {
    const mark = QUOTE.exec(lines[end].text);
    if (!mark && begins(lines, end)) break;
    inner.push({ text: lines[end].text.slice(mark?.[0].length ?? 0), start: lines[end].start });
  }
  return [h("blockquote", {}, blocksOf(inner, depth + 1).map(({ element }) => element)), end];
}

/** A list ends where a line stands that is neither in an item nor the next one of the same kind. */
function list(lines, at, first, depth) {
  const kind = first[2].at(-1);
  const items = [];
  let end = at;
  let isLoose = false;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end].text);
    if (!item || item[2].at(-1) !== kind || item[1].length > first[1].length + 1 || RULE.test(lines[end].text)) break;
    const [inner, next] = itemLines(lines, end, item);
    isLoose ||= inner.some((line, index) => isBlank(line) && index < inner.length - 1);
    items.push(inner);
    // Blank lines between two items are the list's; those behind the last are nobody's.
    let after = next;
    while (after < lines.length && isBlank(lines[after])) after += 1;
    const following = after < lines.length ? ITEM.exec(lines[after].text) : null;
    const goesOn = following && following[2].at(-1) === kind && !RULE.test(lines[after].text);
    if (after > next && goesOn) isLoose = true;
    end = goesOn ? after : next;
    if (!goesOn) break;
  }
  const isNumbered = /\d/.test(first[2]);
  const start = isNumbered ? parseInt(first[2], 10) : 1;
  const drawn = items.map((inner) => {
    const blocks = blocksOf(inner, depth + 1).map(({ element }) => element);
    const shown = isLoose ? blocks : blocks.flatMap((block) => (block.tagName === "P" ? [...block.childNodes] : [block]));
    return h("li", { dir: "auto" }, shown);
  });
  return [h(isNumbered ? "ol" : "ul", { start: start === 1 ? null : start }, drawn), end];
}

/** What belongs to the item at line `at`, without its mark and its indent. Models indent by less than they should. */
function itemLines(lines, at, [, indent, mark, space = " ", said = ""]) {
  const content = indent.length + mark.length + (space.length > 4 ? 1 : space.length);
  const enough = Math.min(content, indent.length + 2);
  const task = /^\[([ xX])\] /.exec(said);
  const head = task ? `${task[1] === " " ? "☐" : "☑"} ${said.slice(4)}` : said;
  const inner = [{ text: head, start: lines[at].start }];
  let end = at + 1;
  let blanks = 0;
  for (; end < lines.length; end += 1) {
    const { text, start } = lines[end];
    if (isBlank(lines[end])) {
      blanks += 1;
      continue;
    }
    const inside = indentOf(text) >= enough;
    // A line that goes on without an indent belongs to the paragraph before it.
    if (!inside && (blanks > 0 || ITEM.test(text) || begins(lines, end))) break;
    for (; blanks > 0; blanks -= 1) inner.push({ text: "", start });
    inner.push({ text: text.slice(Math.min(indentOf(text), content)), start });
  }
  return [inner, end - blanks];
}

function isTable(lines, at) {
  const [head, divider] = [lines[at].text, lines[at + 1]?.text];
  return divider !== undefined && head.includes("|") && DIVIDER.test(divider.trim()) && divider.includes("|")
    && cells(head).length === cells(divider).length;
}

function table(lines, at) {
  const sides = cells(lines[at + 1].text).map((cell) => {
    const [left, right] = [cell.startsWith(":"), cell.endsWith(":")];
    return right ? (left ? "center" : "end") : null;
  });
  const row = (text, tag) => {
    const said = cells(text);
    return h("tr", {}, sides.map((side, index) =>
      h(tag, { dir: "auto", class: [side && `to-${side}`, isWhole(said[index] ?? "") && "whole"].filter(Boolean).join(" ") || null, ...(tag === "th" ? { scope: "col" } : {}) }, inline(said[index] ?? ""))));
  };
  let end = at + 2;
  const rows = [];
  for (; end < lines.length && !isBlank(lines[end]) && lines[end].text.includes("|"); end += 1) rows.push(row(lines[end].text, "td"));
  const drawn = h("table", {}, h("thead", {}, row(lines[at].text, "th")), h("tbody", {}, rows));
  return [h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table" }, drawn), end];
}

function cells(text) {
  const inner = text.trim().replace(/^\|/, "");
  const found = [""];
  for (let at = 0; at < inner.length; at += 1) {
    if (inner[at] === "\\" && inner[at + 1] === "|") found[found.length - 1] += inner[(at += 1)];
    else if (inner[at] === "|") found.push("");
    else found[found.length - 1] += inner[at];
  }
  if (found.length > 1 && !found.at(-1).trim()) found.pop();
  return found.map((cell) => cell.trim());
}

/** The text of one block as nodes: code, emphasis, links, line breaks. */
function inline(text) {
  const nodes = [];
  const open = []; // What may yet end: {mark, at (in nodes), count (marks left), size (marks at first), canClose}.
  const ticks = runsOf(text);
  let at = 0;

  const say = (said) => {
    if (!said) return;
    if (typeof nodes.at(-1) === "string" && open.at(-1)?.at !== nodes.length - 1) nodes[nodes.length - 1] += said;
    else nodes.push(said);
  };
  const wait = (mark, count, more) => {
    if (open.length >= MOST_OPEN) open.shift();
    open.push({ mark, count, at: nodes.length, ...more });
    nodes.push(mark.repeat(count));
  };

  const emphasise = (mark, count) => {
    const [canOpen, canClose] = flanking(text, at, count, mark);
    let left = count;
    while (canClose && left > 0) {
      const index = open.findLastIndex((one) => one.mark === mark
        // CommonMark's rule of three: in `*a**b*` the middle is no end.
        && !((one.canClose || canOpen) && (one.size + count) % 3 === 0 && (one.size % 3 || count % 3)));
      if (index < 0) break;
      const opener = open[index];
      const used = Math.min(opener.count, left, 2);
      const inner = nodes.splice(opener.at + 1);
      opener.count -= used;
      left -= used;
      nodes[opener.at] = mark.repeat(opener.count);
      nodes.push(h(mark === "~" ? "s" : used === 2 ? "strong" : "em", {}, merged(inner)));
      open.length = opener.count ? index + 1 : index;
    }
    if (!left) return;
    if (canOpen) wait(mark, left, { canClose, size: count });
    else say(mark.repeat(left));
  };

  const bracket = () => {
    const index = open.findLastIndex(({ mark }) => mark === "[" || mark === "![");
    const target = index < 0 ? null : targetAt(text, at + 1);
    const opener = open[index];
    const made = target && linked(opener.mark, target.url, () => merged(nodes.slice(opener.at + 1)));
    if (!made) {
      if (opener) open.splice(index, 1);
      at += 1;
      return say("]");
    }
    open.splice(index);
    nodes.splice(opener.at);
    nodes.push(made);
    // No link stands in another.
    if (opener.mark === "[") for (let one = open.length - 1; one >= 0; one -= 1) if (open[one].mark === "[") open.splice(one, 1);
    at = target.end;
  };

  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const next = SPECIAL.exec(text)?.index ?? text.length;
    say(text.slice(at, next));
    at = next;
    const sign = text[at];
    if (sign === undefined) break;
    if (sign === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "")) {
      say(text[at + 1]);
      at += 2;
    } else if (sign === "`") {
      const count = runAt(text, at, "`");
      const end = ticks.endOf(at, count);
      if (end < 0) say("`".repeat(count));
      else nodes.push(h("code", {}, unpadded(text.slice(at + count, end).replaceAll("\n", " "))));
      at = end < 0 ? at + count : end + count;
    } else if (sign === "*" || sign === "_" || sign === "~") {
      const count = runAt(text, at, sign);
      // One or three tildes are about amounts and ranges.
      if (count > MOST_MARKS || (sign === "~" && count !== 2)) say(sign.repeat(count));
      else emphasise(sign, count);
      at += count;
    } else if (sign === "[" || (sign === "!" && text[at + 1] === "[")) {
      const mark = sign === "[" ? "[" : "![";
      wait(mark, 1);
      at += mark.length;
    } else if (sign === "]") {
      bracket();
    } else {
      const plain = sign === "<" ? angled(text, at) : bare(text, at);
      if (plain) nodes.push(plain.node);
      else say(sign);
      at = plain?.end ?? at + 1;
    }
  }
  return merged(nodes);
}

/** The same with texts that follow each other as one. */
function merged(nodes) {
  const found = [];
  for (const node of nodes) {
    if (typeof node === "string" && typeof found.at(-1) === "string") found[found.length - 1] += node;
    else if (node !== "") found.push(node);
  }
  return found;
}

function runAt(text, at, sign) {
  let end = at;
  while (text[end] === sign) end += 1;
  return end - at;
}

/** The runs of backticks: `endOf(at, count)` is where code of `count` backticks at `at` ends, or -1. */
function runsOf(text) {
  const byCount = new Map();
  for (const { 0: { length }, index } of text.matchAll(/`+/g)) {
    if (!byCount.has(length)) byCount.set(length, { places: [], passed: 0 });
    byCount.get(length).places.push(index);
  }
  return {
    endOf(at, count) {
      const runs = byCount.get(count);
      if (!runs) return -1;
      // What is asked goes on through the text, so that no run is looked at twice.
      while (runs.places[runs.passed] <= at) runs.passed += 1;
      return runs.places[runs.passed] ?? -1;
    },
  };
}

const unpadded = (said) => (/^ .*\S.* $/.test(said) ? said.slice(1, -1) : said);

/** Whether a run of marks at `at` can open and can close emphasis: by what stands around it. */
function flanking(text, at, count, mark) {
  const [before, after] = [text[at - 1] ?? " ", text[at + count] ?? " "];
  const [spaceBefore, spaceAfter] = [/\s/.test(before), /\s/.test(after)];
  const [signBefore, signAfter] = [PUNCTUATION.test(before), PUNCTUATION.test(after)];
  const left = !spaceAfter && (!signAfter || spaceBefore || signBefore);
  const right = !spaceBefore && (!signBefore || spaceAfter || signAfter);
  if (mark !== "_") return [left, right];
  return [left && (!right || signBefore), right && (!left || signAfter)];
}

/** The address in `(address "title")` at `at`, and where it ends; null where there is none. */
function targetAt(text, at) {
  if (text[at] !== "(") return null;
  let end = at + 1;
  while (text[end] === " ") end += 1;
  const start = end;
  for (let depth = 0; end < text.length && !/\s/.test(text[end]); end += 1) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === "(" && ++depth > MOST_PARENTHESES) return null;
    else if (text[end] === ")" && --depth < 0) break;
  }
  const url = text.slice(start, end).replace(/^<(.*)>$/, "$1").replace(/\\([!-/:-@[-`{-~])/g, "$1");
  const title = /\s+(?:"[^"\n]{0,500}"|'[^'\n]{0,500}')\s*/y;
  title.lastIndex = end;
  end += title.exec(text)?.[0].length ?? 0;
  while (text[end] === " ") end += 1;
  return text[end] === ")" ? { url, end: end + 1 } : null;
}

/** A link; of a picture a link to it, as nothing is fetched unasked. Null for what leads anywhere but to the web. */
function linked(mark, url, nodes) {
  if (mark === "![" && PICTURE.test(url)) return h("img", { src: url, alt: plain(nodes()), class: "picture" });
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return null;
  const said = nodes();
  return link(url, [mark === "[" ? null : "▧ ", ...(said.length ? said : [url])]);
}

const plain = (nodes) => nodes.map((node) => (typeof node === "string" ? node : node.textContent)).join("");

function angled(text, at) {
  const found = /<(?:br ?\/?|(https?:\/\/[^\s<>]+))>/iy;
  found.lastIndex = at;
  const [all, url] = found.exec(text) ?? [];
  if (!all) return null;
  return { node: url ? link(url) : h("br"), end: at + all.length };
}

/** An address that stands in the text by itself, without the punctuation behind it. */
function bare(text, at) {
  if (/[\p{L}\p{N}]/u.test(text[at - 1] ?? " ")) return null;
  BARE.lastIndex = at;
  let url = BARE.exec(text)?.[0];
  if (!url) return null;
  let extra = (url.match(/\)/g)?.length ?? 0) - (url.match(/\(/g)?.length ?? 0);
  let end = url.length;
  for (; end > 8; end -= 1) {
    if (url[end - 1] === ")" && extra > 0) extra -= 1;
    else if (!/[.,:;!?\]}_~]/.test(url[end - 1])) break;
  }
  url = url.slice(0, end);
  return URL.canParse(url) ? { node: link(url), end: at + url.length } : null;
}
