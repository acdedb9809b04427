// What tasks answer, drawn: text that leads to its boxes, lists, cards, code. All of it as text, never as markup.

import { writtenOut } from "./evidence.js";
import { fill, h, isWhole, link, percent, pieces, roving, sureness, unbroken } from "./dom.js";
import { Growing, markdown } from "./markdown.js";

/** The entries of an answer: one of a run task, or those of `precontext`. */
export function entriesOf(body, task) {
  if (task === "chat") return body.precontext ?? [];
  const content = body.choices?.[0]?.message?.content;
  try {
    const entry = JSON.parse(content);
    return entry && typeof entry === "object" && "result" in entry ? [entry] : [];
  } catch {
    return [];
  }
}

export const isSpeech = ({ result }) => Array.isArray(result?.chunks);

export const isForecast = ({ result }) => Array.isArray(result?.predictions) && result.predictions.length > 0;

/** What `entry` says, as elements; pages show the text of page `number`. */
export function drawn(entry, boxes, number) {
  const { result } = entry;
  if (entry.error || result === null || result === undefined) return [h("p", { class: "badge warn" }, entry.error ?? "No result")];
  if (Array.isArray(result.sections)) return read(result, boxes, number);
  if (Array.isArray(result.detected_objects)) return things(result.detected_objects, boxes, (one) => one.label);
  if (Array.isArray(result.gui_elements)) return things(result.gui_elements, boxes, (one) => one.text || one.type, (one) => one.type);
  if (Array.isArray(result.chunks)) return [h("p", { class: "prose", dir: "auto" }, result.text)];
  if (Array.isArray(result.predictions)) return forecast(result);
  if (result.translated_text !== undefined) return (result.results ?? [result]).flatMap(translation);
  if (typeof result.code_script === "string") return program(result);
  if (Array.isArray(result.checks)) return guard(result);
  if (Array.isArray(result)) return cards(result);
  if (typeof result.url === "string") return page(result);
  return [h("pre", {}, JSON.stringify(result, null, 2))];
}

function read(result, boxes, number) {
  if (!result.sections.length) {
    return [h("pre", { class: "prose tall", tabindex: 0, dir: "auto" }, pieces(result.markdown ?? result.extracted_text))];
  }
  const shown = result.sections.filter((section) => (section.page ?? 1) === number);
  const found = shown.flatMap((section) => {
    const markdown = section.markdown ?? (section.page === undefined ? result.markdown : undefined);
    const tables = section.tables ?? (section.page === undefined ? result.tables : undefined) ?? [];
    return [
      ...tables.map((table) => grid(table, boxes)),
      text(section, boxes),
      markdown ? h("details", {}, h("summary", {}, "As Markdown"), h("pre", { class: "prose" }, markdown)) : null,
    ];
  });
  const placed = result.sections.reduce((sum, section) => sum + section.text.length, 0);
  const all = result.extracted_text.length > placed * 1.1 + 100
    ? [h("details", {}, h("summary", {}, "All the text"), h("pre", { class: "prose tall", tabindex: 0, dir: "auto" }, pieces(result.extracted_text)))] : [];
  return [...(found.length ? found : [h("p", { class: "hint" }, "This page was not read.")]), ...all];
}

function text(section, boxes) {
  if (!section.lines.length) return h("p", { class: "hint" }, "No text here.");
  const list = h("div", { class: "lines", role: "group", "aria-label": "Text. Arrow keys go from word to word." },
    section.lines.map((line) => h("p", { class: "line", dir: "auto", data: { box: boxes.of(line)?.id } },
      line.words.flatMap((word) => [h("span", {
        class: `word ${isWhole(word.text) ? "whole " : ""}${sureness(word.confidence)}`, tabindex: -1, title: percent(word.confidence),
        data: { box: boxes.of(word)?.id, sure: word.confidence },
      }, word.text), " "]))));
  roving(list, ".word");
  return list;
}

function grid(table, boxes) {
  const rows = table.rows.map((row) => h("tr", {}, row.map((cell) => h("td", {
    rowspan: cell.row_span > 1 ? cell.row_span : null, colspan: cell.col_span > 1 ? cell.col_span : null,
  }, unbroken(cell.text)))));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table", data: { box: boxes.of(table)?.id } }, h("table", {}, h("tbody", {}, rows)));
}

function things(found, boxes, name, type = () => null) {
  if (!found.length) return [h("p", { class: "hint" }, "Nothing found.")];
  const list = h("ul", { class: "things", "aria-label": "Found. Arrow keys go from one to the next." }, found.map((one) => h("li", {}, h("button", {
    type: "button", tabindex: -1, class: "thing", data: { box: boxes.of(one)?.id, ...(type(one) ? { type: type(one) } : {}), sure: one.confidence },
  }, h("span", { class: "name", dir: "auto" }, name(one)), type(one) ? h("span", { class: "type" }, type(one)) : null,
  one.page ? h("span", { class: "hint" }, `page ${one.page}`) : null,
  one.confidence === undefined ? null : h("span", { class: `meter ${sureness(one.confidence)}` }, percent(one.confidence))))));
  roving(list, ".thing");
  return [list];
}

function forecast({ predictions }) {
  if (!predictions.length) return [h("p", { class: "hint" }, "Nothing predicted.")];
  const [first, last] = [predictions[0], predictions[predictions.length - 1]];
  return [h("p", { class: "prose" }, `${predictions.length} values, from ${first.value} (${first.date}) to ${last.value} (${last.date}).`)];
}

function translation(result) {
  return [
    ...[result.translated_text].flat().map((text) => h("p", { class: "prose", dir: "auto", lang: result.target_language }, text)),
    h("p", { class: "hint" }, `${result.source_language} → ${result.target_language}`),
  ];
}

function program(result) {
  const ended = result.timed_out ? "It took too long and was ended." : result.exit_code ? `It ended with status ${result.exit_code}.` : null;
  const pictures = (result.images ?? []).filter(({ url }) => url?.startsWith("data:image/png;base64,"));
  return [
    h("p", { class: "hint" }, result.language ?? "code"), h("pre", { class: "code" }, result.code_script),
    h("p", { class: "hint" }, "Output"), h("pre", { class: "code" }, result.output),
    ended ? h("p", { class: "badge warn" }, ended) : null,
    ...pictures.map(({ filename, url }) => h("img", { src: url, alt: filename, class: "picture" })),
  ].filter(Boolean);
}

function guard(result) {
  return [h("p", { class: result.safe ? "badge good" : "badge warn" }, result.safe ? "Safe" : `Unsafe: ${result.codes.join(", ")}`)];
}

function cards(results) {
  if (!results.length) return [h("p", { class: "hint" }, "Nothing found.")];
  return [h("ol", { class: "cards" }, results.map((one) => h("li", {},
    h("h3", { dir: "auto" }, link(one.url, one.title)), h("p", { class: "hint" }, one.url),
    h("p", { dir: "auto" }, one.description || one.snippets?.[0] || ""))))];
}

function page(result) {
  const links = (result.links ?? []).slice(0, 200);
  return [h("div", { class: "cards" },
    h("h3", { dir: "auto" }, link(result.url, result.title)), h("p", { dir: "auto" }, result.description ?? ""),
    result.data === undefined ? null : h("pre", { class: "code" }, JSON.stringify(result.data, null, 2)),
    h("details", { open: true }, h("summary", {}, "Text"), h("pre", { class: "prose tall", tabindex: 0, dir: "auto" }, pieces(result.markdown || result.text || ""))),
    links.length ? h("details", {}, h("summary", {}, `${result.links.length} links`),
      h("ul", {}, links.map((one) => h("li", {}, link(one.url, one.text))))) : null)];
}

/** What the full model says, as it comes and as a whole: Markdown, JSON with a place for each field, or the plain text. */
export class Said {
  text = "";
  #root;
  #tools;
  #plain; // A button: whether the text is shown as it came.
  #growing = null;
  #whole = null; // The message, once it is all there.

  constructor(root, tools, plain) {
    [this.#root, this.#tools, this.#plain] = [root, tools, plain];
    plain.addEventListener("click", () => {
      plain.setAttribute("aria-pressed", String(!this.#isPlain));
      this.#draw();
    });
    this.clear();
  }

  clear() {
    this.#growing?.stop();
    this.#growing = this.#whole = null;
    this.text = "";
    this.#tools.hidden = true;
    fill(this.#root);
  }

  append(piece) {
    this.text += piece;
    this.#tools.hidden = false;
    if (this.#growing) this.#growing.append(piece);
    else if (this.#root.firstChild) this.#root.firstChild.append(piece);
    else this.#draw();
  }

  /** The whole message, whatever had come of it. */
  show(message) {
    this.#whole = message;
    this.text = message.content ?? "";
    this.#tools.hidden = !this.text;
    this.#draw();
  }

  get #isPlain() {
    return this.#plain.getAttribute("aria-pressed") === "true";
  }

  #draw() {
    this.#growing?.stop();
    this.#growing = null;
    const calls = this.#whole?.tool_calls;
    if (calls) fill(this.#root, h("pre", { class: "code" }, JSON.stringify(calls, null, 2)));
    else if (this.#whole && !this.text) fill(this.#root, h("span", { class: "hint" }, "The answer is empty."));
    else if (this.#isPlain) fill(this.#root, h("pre", { class: "prose", dir: "auto" }, this.text));
    else if (this.#whole) fill(this.#root, jsonOf(this.text) ?? h("div", { class: "rich" }, markdown(this.text)));
    // What will be JSON is no Markdown while it comes, either.
    else if (/^\s*\{/.test(this.text)) fill(this.#root, h("pre", { class: "code" }, this.text));
    else {
      const rich = h("div", { class: "rich" });
      fill(this.#root, rich);
      this.#growing = new Growing(rich);
      this.#growing.append(this.text);
    }
  }
}

function jsonOf(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? writtenOut(value) : null;
  } catch {
    return null; // It is prose.
  }
}

/** A body without spaces, in lines; its numbers and strings are as they came. */
export function indented(text) {
  if (text.length > 2e6 || text.includes("\n")) return text;
  let [out, depth, quoted] = ["", 0, false];
  const line = () => `\n${"  ".repeat(depth)}`;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (quoted) {
      const end = stringEnd(text, at);
      out += text.slice(at, end);
      at = end - 1;
      quoted = false;
    } else if (sign === '"') {
      out += sign;
      quoted = true;
    } else if ((sign === "{" || sign === "[") && (text[at + 1] === "}" || text[at + 1] === "]")) {
      out += sign + text[++at];
    } else if (sign === "{" || sign === "[") {
      depth += 1;
      out += sign + line();
    } else if (sign === "}" || sign === "]") {
      depth -= 1;
      out += line() + sign;
    } else {
      out += sign === "," ? sign + line() : sign === ":" ? ": " : sign;
    }
  }
  return out;
}

function stringEnd(text, at) {
  for (let end = at; ; end += 1) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === '"' || end >= text.length) return end + 1;
  }
}

/** What took how long, and what was used. */
export function drawTimings(root, { body, headers, times, chunks }) {
  const stages = (headers.get("server-timing") ?? "").split(",").map((stage) => /^\s*([\w-]+);dur=([\d.]+)/.exec(stage)).filter(Boolean)
    .map(([, name, ms]) => [name, Number(ms)]);
  const most = Math.max(...stages.map(([, ms]) => ms), 1);
  const rows = stages.map(([name, ms]) => {
    const bar = h("i", {});
    bar.style.width = `${ms / most * 100}%`;
    return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("span", { class: "bar", "aria-hidden": "true" }, bar)), h("td", {}, milliseconds(ms)));
  });
  const usage = body.usage;
  const facts = [
    ["Whole", milliseconds(times.whole)],
    times.first ? ["First words", milliseconds(times.first)] : null,
    chunks ? ["Events", String(chunks)] : null,
    usage ? ["Tokens", `${usage.prompt_tokens} in, ${usage.completion_tokens} out`] : null,
    ["Cache", body.vcache ? "hit" : "no"],
    body.id ? ["Request", body.id] : null,
  ].filter(Boolean);
  // The head of a stream goes out before the rest is done.
  const caption = chunks === undefined ? "Stages on the server" : "Stages on the server, before the first byte";
  fill(root, h("dl", {}, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    rows.length ? h("table", { class: "stages" }, h("caption", {}, caption), h("tbody", {}, rows)) : null);
}

/** How long it took, and what was found, counted, in a sentence. */
export function summary({ body, times }, { all, pages }) {
  const counted = ["line", "word", "table", "object", "element"].map((kind) => [kind, all.filter((box) => box.kind === kind).length])
    .filter(([, count]) => count).map(([kind, count]) => `${count} ${kind}${count === 1 ? "" : "s"}`);
  const on = counted.length && pages.size > 1 ? ` on ${pages.size} pages` : "";
  const cut = body.choices?.[0]?.finish_reason === "length" ? " The answer was cut at its longest." : "";
  return `Done in ${milliseconds(times.whole)}${body.vcache ? ", from the cache" : ""}. ${counted.join(", ")}${on}${counted.length ? "." : ""}${cut}`;
}

const milliseconds = (ms) => (Math.round(ms) < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
