// One request to /v1/chat/completions, whole or as a stream; a stream becomes the same body as a whole answer.

/** What the server refuses, in its own words. */
export class ErrorAnswer extends Error {
  constructor(status, error, retryAfter) {
    super(error.message);
    Object.assign(this, { status, retryAfter, code: error.code, type: error.type, param: error.param, partial: error.partial });
    this.requestId = error.request_id;
  }
}

/** What `promise` gives. Of a network that fails, browsers say only that something has the wrong type. */
async function carried(promise, message) {
  try {
    return await promise;
  } catch (error) {
    throw error instanceof TypeError ? new Error(message, { cause: error }) : error;
  }
}

const reach = (path, options) => carried(fetch(address(path), { ...options, credentials: "omit" }), "The server cannot be reached.");
const received = (promise) => carried(promise, "The connection to the server broke.");

const address = (path) => new URL(path, document.baseURI).href;

export const BASE_URL = address("v1");

/**
 * `watch` is told what comes: `text`, `thought`, `precontext` (a list of entries), `progress`.
 * Gives the body, its text as it came (or as a stream was put together), the headers, and the moments in milliseconds.
 */
export async function ask(body, { key, fresh, signal, watch }) {
  const began = performance.now();
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream", ...keyed(key) };
  if (fresh) headers["x-interfaze-bypass-cache"] = "true";
  if (body.stream) Object.assign(headers, { "x-show-additional-info": "true", "x-interfaze-progress": "true" });
  const response = await reach("v1/chat/completions", { method: "POST", headers, signal, body: JSON.stringify(body), cache: "no-store" });
  if (!response.ok) throw await refused(response);
  const times = {};
  if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    const text = await received(response.text());
    times.whole = performance.now() - began;
    return { body: JSON.parse(text), text, headers: response.headers, times };
  }
  const answer = new Assembled((...told) => {
    times.first ??= performance.now() - began;
    watch(...told);
  });
  for await (const event of events(response.body)) {
    if (event.name === "error") throw new ErrorAnswer(response.status, JSON.parse(event.data).error);
    if (event.comment?.startsWith("progress ")) watch("progress", JSON.parse(event.comment.slice(9)));
    else if (event.data && event.data !== "[DONE]") answer.take(JSON.parse(event.data));
  }
  times.whole = performance.now() - began;
  const whole = answer.body();
  return { body: whole, text: JSON.stringify(whole, null, 2), headers: response.headers, times, chunks: answer.count };
}

/** Uploads a file that is too large for a request; gives its id. */
export async function upload(file, { key, signal }) {
  const form = new FormData();
  form.set("purpose", "user_data");
  form.set("file", file, file.name);
  const headers = keyed(key);
  const response = await reach("v1/files", { method: "POST", headers, signal, body: form });
  if (!response.ok) throw await refused(response);
  return (await received(response.json())).id;
}

/** A file that comes with the page. */
export async function ownFile({ name, type }) {
  const response = await reach(`playground/samples/${name}`);
  if (!response.ok) throw await refused(response);
  return new File([await received(response.blob())], name, { type });
}

/** Deletes it again: what was shown is not kept. */
export async function forget(id, { key }) {
  const headers = keyed(key);
  await reach(`v1/files/${id}`, { method: "DELETE", headers, keepalive: true });
}

/** A browser sends no other characters in a header, and says of it only that it failed. */
function keyed(key) {
  if (!key) return {};
  if (!/^[\x21-\x7e]+$/.test(key)) throw Object.assign(new Error("No key has such characters."), { status: 401 });
  return { authorization: `Bearer ${key}` };
}

async function refused(response) {
  const text = await received(response.text());
  let error;
  try {
    error = JSON.parse(text).error;
  } catch {
    error = null;
  }
  error ??= { message: `The server answered with status ${response.status}.`, code: null, type: null, param: null };
  return new ErrorAnswer(response.status, error, response.headers.get("retry-after"));
}

/** Server-sent events; comments, too. */
async function* events(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let kept = "";
  try {
    for (;;) {
      const { done, value } = await received(reader.read());
      const from = Math.max(kept.length - 1, 0);
      kept += done ? decoder.decode() : decoder.decode(value, { stream: true });
      let start = 0;
      for (let end = kept.indexOf("\n\n", from); end >= 0; end = kept.indexOf("\n\n", start)) {
        yield event(kept.slice(start, end));
        start = end + 2;
      }
      kept = kept.slice(start);
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function event(text) {
  const found = {};
  for (const line of text.split("\n")) {
    if (line.startsWith(":")) found.comment = line.slice(1).trim();
    else if (line.startsWith("event:")) found.name = line.slice(6).trim();
    else if (line.startsWith("data:")) found.data = (found.data === undefined ? "" : `${found.data}\n`) + line.slice(5).trimStart();
  }
  return found;
}

/** The chunks of a stream, put together. */
class Assembled {
  count = 0;
  #tell;
  #text = [];
  #thoughts = [];
  #thinking = false;
  #calls = [];
  #precontext = [];
  #whole = { finish_reason: null };

  constructor(tell) {
    this.#tell = tell;
  }

  take(chunk) {
    this.count += 1;
    for (const name of ["id", "created", "model", "usage", "vcache", "evidence", "unsupported", "warnings"]) {
      if (chunk[name] !== undefined) this.#whole[name] = chunk[name];
    }
    for (const choice of chunk.choices ?? []) {
      if (choice.finish_reason) this.#whole.finish_reason = choice.finish_reason;
      for (const piece of choice.delta.tool_calls ?? []) this.#call(piece);
      const said = choice.delta.content || choice.delta.refusal;
      if (said) this.#said(said);
    }
  }

  #said(content) {
    const entries = this.#text.length === 0 ? precontextIn(content) : null;
    if (entries) {
      this.#precontext.push(...entries);
      this.#tell("precontext", entries);
    } else if (content === "<think>" && this.#text.length === 0) {
      this.#thinking = true;
    } else if (content === "</think>" && this.#thinking) {
      this.#thinking = false;
    } else {
      (this.#thinking ? this.#thoughts : this.#text).push(content);
      this.#tell(this.#thinking ? "thought" : "text", content);
    }
  }

  #call(piece) {
    const call = (this.#calls[piece.index] ??= { id: "", type: "function", function: { name: "", arguments: "" } });
    if (piece.id) call.id = piece.id;
    call.function.name += piece.function?.name ?? "";
    call.function.arguments += piece.function?.arguments ?? "";
  }

  body() {
    const { finish_reason, evidence, unsupported, warnings, ...head } = this.#whole;
    const calls = this.#calls.filter(Boolean);
    const content = calls.length ? null : this.#text.join("");
    return {
      ...head,
      object: "chat.completion",
      ...(this.#precontext.length ? { precontext: this.#precontext } : {}),
      ...(this.#thoughts.length ? { reasoning: this.#thoughts.join("") } : {}),
      choices: [{
        index: 0,
        message: { role: "assistant", content, ...(calls.length ? { tool_calls: calls } : {}) },
        finish_reason,
      }],
      ...(evidence ? { evidence, unsupported } : {}),
      ...(warnings ? { warnings } : {}),
    };
  }
}

function precontextIn(content) {
  if (!/^(<precontext>\n.*?\n<\/precontext>)+$/.test(content)) return null;
  try {
    return [...content.matchAll(/<precontext>\n(.*?)\n<\/precontext>/g)].map((block) => JSON.parse(block[1]));
  } catch {
    return null;
  }
}
