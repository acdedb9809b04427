// The page: a form, a request, and what came back.

import { Fields, drawEvidence, marked, unmark } from "./evidence.js";
import { drawChart } from "./chart.js";
import { Said, drawTimings, drawn, entriesOf, indented, isForecast, isSpeech, summary } from "./answer.js";
import { Boxes, placeOf } from "./boxes.js";
import { Correction, replaced, schemaAt } from "./correct.js";
import { ask, forget, ownFile, upload } from "./client.js";
import { ExamplePicker } from "./examples.js";
import { byId, bytes, clock, copier, fill, h, pieces, reveal } from "./dom.js";
import { HINTS, SAMPLES } from "./samples.js";
import { bodyOf, codeOf, typeOf } from "./request.js";
import { SchemaBuilder } from "./schema.js";
import { TranscriptView } from "./transcript.js";
import { Viewer } from "./viewer.js";

const KEY = "openfaze-key";
/** What happened, in words, by an error's code, else by its type. */
const HEADINGS = {
  not_found_in_input: "Not every field was found",
  unsupported_media_type: "This kind of file is not read",
  decode_failed: "The file cannot be read",
  engine_unavailable: "An engine for this is missing",
  timeout: "It took too long",
  authentication_error: "This server asks for a key",
  insufficient_quota: "The budget of this key is used up",
  permission_error: "This key may not do that",
  payload_too_large: "That is too large",
  rate_limit_error: "Too many requests",
  service_unavailable: "The server cannot answer now",
  internal_error: "The server failed",
  invalid_request_error: "The request cannot be answered",
};
const MOST_DRAWN = 1e6; // Bytes of a table that is drawn before its forecast.

let files = [];
let running = null;
let suggested = ""; // The prompt that a sample came with.
let shown = nothing();

const answer = byId("answer");
const said = new Said(answer, byId("answer-tools"), byId("plain"));
const viewer = new Viewer(byId("viewer"), { light, page: drawPage, least: dim });
const correction = new Correction(byId("evidence"), correct);
const examples = new ExamplePicker(drawCode);
const transcript = new TranscriptView(byId("speech"));
const schema = new SchemaBuilder({ list: byId("fields"), raw: byId("schema"), add: byId("add-field"), note: byId("schema-off") }, drawCode);

function nothing() {
  const boxes = new Boxes([]);
  return { boxes, fields: new Fields({}, boxes), entries: [], task: "chat", body: {}, asked: null, answer: null, corrected: new Map() };
}

function form() {
  const wanted = schema.value;
  return {
    task: byId("task").value,
    prompt: byId("prompt").value,
    files: [...files],
    schema: wanted,
    examples: examples.of(wanted, files),
    guard: [...byId("guard").querySelectorAll("input:checked")].map((input) => input.value),
    reasoning: byId("reasoning").value,
    stream: byId("stream").checked,
    layout: byId("layout").checked,
    fresh: byId("fresh").checked,
  };
}

async function run() {
  if (running) return;
  hideError();
  let asked;
  try {
    asked = form();
  } catch (error) {
    byId("schema").setAttribute("aria-invalid", "true");
    showError({ message: `The schema cannot be read: ${error.message}` });
    return;
  }
  reset();
  running = new AbortController();
  busy(true);
  say("Working …");
  const access = { key: byId("key").value, signal: running.signal };
  const uploaded = [];
  try {
    const body = await bodyOf(asked, async (file) => {
      say(`Uploading ${file.name} …`);
      const id = await upload(file, access);
      uploaded.push(id);
      return id;
    });
    const reply = await ask(body, { ...access, fresh: asked.fresh, watch: asked.task === "chat" ? watch : follow });
    await show(reply, asked);
  } catch (error) {
    if (error.name === "AbortError") say("Stopped. What had arrived by then is below.");
    else showError(error);
  } finally {
    running = null;
    busy(false);
    for (const id of uploaded) forget(id, access).catch(() => undefined);
  }
}

function busy(on) {
  byId("run").disabled = on;
  byId("stop").disabled = !on;
  for (const chip of byId("samples").children) chip.disabled = on;
  byId("progress").hidden = !on;
  byId("progress").removeAttribute("value");
  byId("results").classList.toggle("busy", on);
  answer.setAttribute("aria-busy", String(on));
  // On a narrow screen the results are below the form.
  if (on && matchMedia("(max-width: 62rem)").matches) byId("results").scrollIntoView();
}

const say = (text) => fill(byId("status"), text);

function reset() {
  for (const id of ["empty", "evidence", "chart", "answer-card", "found", "thoughts", "timings-card", "json-card", "warnings"]) byId(id).hidden = true;
  say("");
  said.clear();
  fill(byId("thoughts").querySelector("pre"));
  transcript.close();
  correction.close();
  viewer.clear();
  shown = nothing();
}

/** What a run task tells of how far it is. */
function follow(kind, told) {
  if (kind !== "progress") return;
  Object.assign(byId("progress"), { max: told.total || 1, value: told.done });
  say(`${told.stage.replaceAll("_", " ")}: ${told.done} of ${told.total}`);
}

/** What a stream of the full model tells while it comes. */
function watch(kind, told) {
  if (kind === "progress") {
    follow(kind, told);
  } else if (kind === "precontext") {
    say(`Read: ${told.map((entry) => entry.name).join(", ")}. Answering …`);
  } else {
    byId("answer-card").hidden = false;
    if (kind === "text") return said.append(told);
    byId("thoughts").hidden = false;
    byId("thoughts").querySelector("pre").append(told);
  }
}

async function show(reply, asked) {
  const { body } = reply;
  const entries = entriesOf(body, asked.task);
  const boxes = new Boxes(entries);
  shown = { ...nothing(), boxes, fields: new Fields(body.evidence, boxes), entries, task: asked.task, body, asked };
  const message = body.choices?.[0]?.message ?? {};
  const isRaw = entries.length > 0 && asked.task !== "chat";
  answer.setAttribute("aria-live", isRaw ? "off" : "polite");
  byId("answer-card").hidden = false;
  if (!isRaw) said.show(message);
  byId("thoughts").hidden = !body.reasoning;
  fill(byId("thoughts").querySelector("pre"), body.reasoning ?? "");
  fill(byId("json"), pieces(indented(reply.text)));
  drawTimings(byId("timings"), reply);
  fill(byId("warnings"), (body.warnings ?? []).map((warning) => h("li", {}, warning)));
  byId("warnings").hidden = !body.warnings?.length;
  for (const id of ["json-card", "timings-card"]) byId(id).hidden = false;

  const speech = entries.find(isSpeech);
  if (speech) transcript.open(speech.result, asked.files.find((file) => /^(audio|video)\//.test(typeOf(file))) ?? null);
  const forecast = entries.find(isForecast);
  byId("chart").hidden = !forecast;
  const table = asked.files.find((file) => /^text\/(csv|tab)/.test(typeOf(file)) && file.size < MOST_DRAWN);
  if (forecast) drawChart(byId("chart"), forecast.result, table && await table.text());
  byId("evidence").hidden = !body.evidence;
  if (body.evidence) {
    shown.answer = parsed(message.content);
    drawFields();
  }
  await viewer.draw(shown.boxes);
  if (byId("viewer").hidden) drawPage(1);
  say(summary(reply, boxes));
}

function drawFields() {
  drawEvidence(byId("evidence").querySelector("div"), shown.answer, shown.body, shown.corrected);
}

/** What a person says of the field at `pointer`, with the boxes of its words: the paper is an example from now on. */
function correct(pointer, value, words) {
  shown.answer = replaced(shown.answer, pointer, value);
  shown.corrected.set(pointer, placeOf(words));
  const evidence = { ...shown.body.evidence };
  for (const [corrected, place] of shown.corrected) evidence[corrected] = place;
  shown.fields = new Fields(evidence, shown.boxes);
  const { files, prompt, schema } = shown.asked;
  examples.keep({ files, prompt, schema, answer: shown.answer });
  said.show({ content: JSON.stringify(shown.answer) });
  drawFields();
  byId("evidence").querySelector(`[data-pointer="${CSS.escape(pointer)}"]`).focus();
  say("Corrected. The paper is an example for the next one with these fields.");
}

function parsed(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null; // An answer that was cut.
  }
}

/** Draws what the results say, with the text of the page that is shown. */
function drawPage(number) {
  const { entries, boxes, task } = shown;
  const found = (entry) => drawn(entry, boxes, number);
  if (task !== "chat") {
    if (entries.length) fill(answer, entries.flatMap(found));
    return;
  }
  byId("found").hidden = entries.length === 0;
  fill(byId("found").lastElementChild, entries.map((entry, index) => h("details", { open: index === 0 && boxes.all.length > 0 },
    h("summary", {}, entry.name.replaceAll("_", " ")), found(entry))));
}

/** Shows the source of the field at `pointer`: its place on a page, its second in a recording, its words in a text. */
function lead(pointer) {
  let told;
  for (const button of byId("evidence").querySelectorAll("[aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button.dataset.pointer === pointer));
    if (button.dataset.pointer === pointer) told = button.title;
  }
  if (shown.answer && shown.asked?.schema) correction.open(pointer, shown.answer, schemaAt(shown.asked.schema, pointer), shown.boxes, told);
  const found = shown.fields.of(pointer);
  unmark();
  if (found?.timestamp && !found.bounds) transcript.seek(found.timestamp[0]);
  else if (found && !found.bounds) showText(found);
  return viewer.source(found?.page, found?.bounds);
}

/** Opens the text that says `found`, and marks it there. */
function showText(found) {
  const entry = shown.task === "chat" ? byId("found").lastElementChild.children[found.precontext] : answer;
  const mark = entry && marked(entry, found);
  for (let around = mark?.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
  mark?.scrollIntoView({ block: "nearest", behavior: "instant" });
}

/** Lights the texts of `boxes`, and the fields at `pointers`: what was found, the answer, its evidence. */
function lightTexts(boxes, pointers) {
  for (const place of document.querySelectorAll(".said .lit")) place.classList.remove("lit");
  const texts = boxes.flatMap(({ id }) => [...document.querySelectorAll(`.said [data-box="${id}"]`)].slice(0, 1));
  const fields = pointers.flatMap((pointer) => [...document.querySelectorAll(`.said [data-pointer="${CSS.escape(pointer)}"]`)]);
  for (const place of [...texts, ...fields]) place.classList.add("lit");
  return texts[0];
}

/** From a box to its text, and to the fields that come from it. */
function light(box, chosen) {
  const place = lightTexts(box ? [box] : [], box ? shown.fields.from(box) : []);
  if (!box) return;
  if (place) reveal(place);
  if (chosen) correction.pick(box);
  if (chosen) say(`${box.text ?? box.label}${box.confidence === undefined ? "" : `, ${Math.round(box.confidence * 100)} %`}`);
}

/** From a text to its box, from a field to its source, from what was said to the fields that were heard there. */
function point(event, chosen) {
  const place = event.target.closest("[data-box], [data-pointer], .chunk");
  if (!place) return;
  const { box: id, pointer, start, end } = place.dataset;
  if (pointer !== undefined) {
    const boxes = shown.fields.boxes(pointer);
    lightTexts(boxes, [pointer]);
    viewer.light(boxes.filter(({ page }) => page === viewer.number));
    if (event.type === "click" || (event.type === "focusin" && place.matches(".leaf"))) lead(pointer);
  } else if (id === undefined) {
    lightTexts([], shown.fields.between(Number(start), Number(end)));
  } else {
    const box = shown.boxes.all[Number(id)];
    lightTexts([box], shown.fields.from(box));
    viewer.light([box], chosen);
    if (event.type === "click") correction.pick(box);
  }
}

/** Dims the texts that are less sure. */
function dim(least) {
  for (const place of document.querySelectorAll(".said [data-sure]")) place.classList.toggle("unsure", Number(place.dataset.sure) < least);
}

function showError(error) {
  const unkeyed = error.status === 401;
  const heading = HEADINGS[unkeyed ? "authentication_error" : error.code] ?? HEADINGS[error.type] ?? "That did not work";
  const facts = [error.param && `field ${error.param}`, error.retryAfter && `try again in ${error.retryAfter} s`, error.code, error.requestId];
  fill(byId("error"), h("strong", {}, heading),
    h("p", {}, error.message),
    h("p", { class: "hint" }, facts.filter(Boolean).join(" · ")));
  byId("error").hidden = false;
  byId("empty").hidden = true;
  say("");
  // The answer as far as it was found.
  byId("answer-card").hidden &&= !error.partial;
  if (error.partial) said.show({ content: JSON.stringify(error.partial) });
  byId("key").toggleAttribute("aria-invalid", unkeyed);
  if (unkeyed) byId("key").focus();
  // A fault of the page itself, which is none of the server's.
  if (error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError) console.error(error);
}

function hideError() {
  fill(byId("error"));
  byId("error").hidden = true;
  byId("key").removeAttribute("aria-invalid");
}

function drawCode() {
  let asked;
  try {
    asked = form();
  } catch {
    return; // While a schema is being typed, the code is that of the one before.
  }
  for (const [name, text] of Object.entries(codeOf(asked))) fill(codeBlock(name).querySelector("pre"), text);
}

/** Where the code of one language stands: what is open stays open while somebody types. On a narrow page all are closed at first. */
function codeBlock(name) {
  const known = byId(`code-${name}`);
  if (known) return known;
  const pre = h("pre", { class: "code", tabindex: 0, "aria-label": `The request in ${name}` });
  const open = !byId("code").firstChild && matchMedia("(min-width: 40.01rem)").matches;
  const block = h("details", { id: `code-${name}`, open },
    h("summary", {}, name),
    h("button", { type: "button", class: "quiet", "aria-label": `Copy ${name}`, onclick: copier(() => pre.textContent) }, "Copy"), pre);
  byId("code").append(block);
  return block;
}

function choose(chosen) {
  files = [...chosen];
  drawFiles();
}

function drawFiles() {
  fill(byId("files"), files.map((file, index) => h("li", {}, h("span", { class: "name" }, file.name), h("span", { class: "hint" }, bytes(file.size)),
    h("button", { type: "button", class: "quiet", "aria-label": `Remove ${file.name}`, onclick: () => {
      files.splice(index, 1);
      byId("file").value = "";
      drawFiles();
    } }, "×"))));
  drawCode();
  if (running) return;
  reset();
  byId("empty").hidden = files.length > 0;
  viewer.open(files);
}

async function sample({ task, prompt, schema: asked, file }) {
  byId("task").value = task;
  suggest(prompt);
  schema.value = asked ?? null;
  hint();
  choose([]);
  try {
    choose([await ownFile(file)]);
  } catch (error) {
    showError(error);
    return;
  }
  await run();
}

/** Puts `prompt` in place of what the page itself wrote; what somebody typed stays. */
function suggest(prompt) {
  const { value } = byId("prompt");
  if (value && value !== suggested) return;
  byId("prompt").value = prompt;
  suggested = prompt;
}

function rechoose() {
  suggest("");
  hint();
}

function hint() {
  const [chosen] = byId("task").selectedOptions;
  fill(byId("task-hint"), HINTS[chosen.value] ?? "");
  fill(byId("task-note"), chosen.dataset.note);
  byId("task-note").hidden = !chosen.dataset.note;
  schema.off = chosen.value !== "chat";
}

/** A voice from the microphone, as one more file. */
async function record() {
  const button = byId("record");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    showError({ message: `The microphone cannot be used: ${error.message}` });
    return;
  }
  const recorder = new MediaRecorder(stream);
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const began = performance.now();
  const tell = () => { button.textContent = `Stop recording · ${clock((performance.now() - began) / 1000)}`; };
  const telling = setInterval(tell, 250);
  recorder.onstop = () => {
    clearInterval(telling);
    for (const track of stream.getTracks()) track.stop();
    button.textContent = "Record a voice";
    button.onclick = record;
    const type = recorder.mimeType.split(";")[0];
    choose([...files, new File(pieces, `recording.${type.split("/")[1]}`, { type })]);
  };
  recorder.start();
  tell();
  button.onclick = () => recorder.stop();
}

/** The tab's memory; null where the browser allows none. */
function store() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

function begin() {
  const key = byId("key");
  const kept = store();
  key.value = kept?.getItem(KEY) ?? "";
  key.addEventListener("input", () => kept?.setItem(KEY, key.value));
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  byId("stop").addEventListener("click", () => running?.abort());
  byId("file").addEventListener("change", ({ target }) => choose(target.files));
  byId("form").addEventListener("input", ({ target }) => target.id !== "schema" && drawCode());
  byId("task").addEventListener("change", rechoose);
  byId("ask-full").addEventListener("click", () => {
    byId("task").value = "chat";
    byId("task").focus();
    rechoose();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
    if (event.key === "Escape") running?.abort();
  });
  document.addEventListener("paste", ({ clipboardData }) => {
    if (clipboardData.files.length) choose([...files, ...clipboardData.files]);
  });
  // Files may be dropped anywhere; a text goes where the browser lets it.
  for (const name of ["dragenter", "dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      byId("drop").classList.toggle("over", name !== "drop");
      if (name === "drop" && event.dataTransfer.files.length) choose([...files, ...event.dataTransfer.files]);
    });
  }
  document.addEventListener("dragleave", () => byId("drop").classList.remove("over"));
  const texts = document.querySelector(".said");
  texts.addEventListener("pointerover", (event) => point(event, false));
  texts.addEventListener("focusin", (event) => point(event, true));
  texts.addEventListener("click", (event) => point(event, true));
  texts.addEventListener("pointerleave", ({ type }) => {
    lightTexts([], []);
    viewer.light([]);
    // What was chosen stays.
    if (texts.contains(document.activeElement)) point({ target: document.activeElement, type }, false);
  });
  byId("copy-answer").onclick = copier(() => said.text);
  for (const button of document.querySelectorAll("[data-copy]")) button.onclick = copier(() => byId(button.dataset.copy).textContent);
  const tasks = new Set([...byId("task").options].map(({ value }) => value));
  fill(byId("samples"), SAMPLES.filter(({ task }) => tasks.has(task)).map((one) => h("button", { type: "button", class: "chip", onclick: () => sample(one) }, one.name)));
  byId("record").hidden = !(navigator.mediaDevices && window.MediaRecorder);
  byId("record").onclick = record;
  hint();
}

begin();
