// What is asked, as the body of a request, and as code that sends the same.

import { BASE_URL } from "./client.js";

const MODEL = "interfaze-beta";
const MARK = "\uE000";
const TYPES = {
  csv: "text/csv", tsv: "text/tab-separated-values", md: "text/markdown", txt: "text/plain", json: "application/json",
  flac: "audio/flac", mkv: "video/x-matroska", heic: "image/heic", heif: "image/heif", yaml: "application/yaml",
};

/** A file's type: what the browser says, or its ending. */
export function typeOf(file) {
  const ending = file.name.split(".").pop().toLowerCase();
  return file.type || TYPES[ending] || "application/octet-stream";
}

const MOST_INLINE = 16e6; // Bytes of a file that goes along in the request; a larger one is uploaded first.
const MOST_AT_ONCE = 2e6; // Bytes of files about which a run task answers before anybody asks how far it is.

/** The body for `form`, with what `dataOf(file)` gives in place of each file's data URL, or of its id once uploaded. */
function bodyWith(form, dataOf) {
  const tags = [
    form.task === "chat" ? "" : `<task>${form.task}</task>`,
    form.guard.length ? `<guard>${form.guard.join(", ")}</guard>` : "",
  ].filter(Boolean);
  const content = (files, prompt) => {
    const parts = files.map((file) => {
      const data = dataOf(file);
      if (isLarge(file)) return { type: "file", file: { file_id: data } };
      return typeOf(file).startsWith("image/")
        ? { type: "image_url", image_url: { url: data } }
        : { type: "file", file: { file_data: data, filename: file.name } };
    });
    return parts.length ? [...(prompt.trim() ? [{ type: "text", text: prompt }] : []), ...parts] : prompt;
  };
  const shown = form.examples.flatMap(({ files, prompt, answer }) =>
    [{ role: "user", content: content(files, prompt) }, { role: "assistant", content: JSON.stringify(answer) }]);
  const body = { model: MODEL, messages: [...shown, { role: "user", content: content(form.files, form.prompt) }] };
  if (tags.length) body.messages.unshift({ role: "system", content: tags.join(" ") });
  if (form.schema) {
    body.response_format = { type: "json_schema", json_schema: { name: "answer", schema: form.schema } };
    body.evidence = true;
  }
  if (form.reasoning) body.reasoning_effort = form.reasoning;
  if (form.layout) body.ocr = { tables: true, markdown: true };
  return body;
}

export const isLarge = (file) => file.size > MOST_INLINE;

/** All files of a request: those of its examples, too. */
const filesOf = (form) => [...form.examples.flatMap(({ files }) => files), ...form.files];

/**
 * The body itself; files are read, and `upload(file)` gives the id of a large one. The full model streams where `form`
 * says so, and what will take long, for it tells how far it is; a run task answers whole.
 */
export async function bodyOf(form, upload) {
  const read = new Map(await Promise.all(filesOf(form).map(async (file) => [file, await (isLarge(file) ? upload(file) : dataUrl(file))])));
  const body = bodyWith(form, (file) => read.get(file));
  const size = filesOf(form).reduce((sum, file) => sum + file.size, 0);
  const streams = form.task === "chat" ? form.stream : size > MOST_AT_ONCE;
  if (streams) Object.assign(body, { stream: true, stream_options: { include_usage: true } });
  return body;
}

function dataUrl(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onerror = () => failed(new Error(`${file.name} could not be read.`));
    reader.onload = () => done(`data:${typeOf(file)};base64,${reader.result.slice(reader.result.indexOf(",") + 1)}`);
    reader.readAsDataURL(file);
  });
}

/** The same request for a shell, for Python and for JavaScript; files are read where the code runs. */
export function codeOf(form) {
  const all = filesOf(form);
  const body = bodyWith(form, (file) => `${MARK}${all.indexOf(file)}${MARK}`);
  const fileOf = (marked) => all[Number(marked)];
  return { curl: curl(body, fileOf, form), Python: python(body, fileOf, form), JavaScript: javascript(body, fileOf, form) };
}

const between = new RegExp(`${MARK}(\\d+)${MARK}`, "g");
const whole = new RegExp(`^${MARK}(\\d+)${MARK}$`);

/** A text in quotes for a shell. A line break is written as an escape: a line `JSON` would end the body. */
function shellQuoted(text) {
  const control = /[\x00-\x1f\x7f]/g;
  if (!control.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return `$'${text.replace(/[\\']/g, "\\$&").replace(control, escaped)}'`;
}

function curl(body, fileOf, form) {
  const quoted = JSON.stringify(body, null, 2).replace(/[\\$`]/g, "\\$&");
  const filled = quoted.replace(between, (_, number) => {
    const file = fileOf(number);
    const named = shellQuoted(`file=@"${file.name.replace(/[\\"]/g, "\\$&")}"`);
    if (isLarge(file)) return `$(curl -s ${BASE_URL}/files -H "Authorization: Bearer $OPENFAZE_API_KEY" -F purpose=user_data -F ${named} | grep -o 'file-[0-9a-z-]*' | head -1)`;
    return `data:${typeOf(file)};base64,$(base64 < ${shellQuoted(file.name)} | tr -d '\\n')`;
  });
  const fresh = form.fresh ? ' -H "X-Interfaze-Bypass-Cache: true"' : "";
  return `curl -s ${BASE_URL}/chat/completions -H "Authorization: Bearer $OPENFAZE_API_KEY" \\
  -H "Content-Type: application/json"${fresh} -d @- <<JSON
${filled}
JSON`;
}

function python(body, fileOf, form) {
  const { model, messages, response_format: format, reasoning_effort: effort, ...ours } = body;
  const literal = (value, indent) => pythonLiteral(value, indent, fileOf);
  const extra = Object.keys(ours).length ? `    extra_body=${literal(ours, 4)},\n` : "";
  const fresh = form.fresh ? '    extra_headers={"x-interfaze-bypass-cache": "true"},\n' : "";
  const reads = filesOf(form).some((file) => !isLarge(file));
  const reader = reads
    ? `def data_url(path, kind):
    return f"data:{kind};base64," + base64.b64encode(Path(path).read_bytes()).decode()


` : "";
  return `${reads ? "import base64\n" : ""}import os
${filesOf(form).length ? "from pathlib import Path\n" : ""}
from openai import OpenAI

${reader ? `\n${reader}` : ""}client = OpenAI(base_url="${BASE_URL}", api_key=os.environ.get("OPENFAZE_API_KEY") or "none")
answer = client.chat.completions.create(
    model=${literal(model, 4)},
    messages=${literal(messages, 4)},
${format ? `    response_format=${literal(format, 4)},\n` : ""}${effort ? `    reasoning_effort=${literal(effort, 4)},\n` : ""}${extra}${fresh})
print(answer.choices[0].message.content)`;
}

function pythonLiteral(value, indent, fileOf) {
  const pad = " ".repeat(indent + 4);
  const listed = (open, items, close) => items.length
    ? `${open}\n${items.map((item) => `${pad}${item},\n`).join("")}${" ".repeat(indent)}${close}` : open + close;
  const marked = typeof value === "string" && whole.exec(value);
  if (marked && isLarge(fileOf(marked[1]))) return `client.files.create(file=Path(${JSON.stringify(fileOf(marked[1]).name)}), purpose="user_data").id`;
  if (marked) return `data_url(${JSON.stringify(fileOf(marked[1]).name)}, ${JSON.stringify(typeOf(fileOf(marked[1])))})`;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return listed("[", value.map((item) => pythonLiteral(item, indent + 4, fileOf)), "]");
  if (typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${pythonLiteral(item, indent + 4, fileOf)}`);
  return listed("{", members, "}");
}

function javascript(body, fileOf, form) {
  const key = "authorization: `Bearer ${process.env.OPENFAZE_API_KEY}`";
  const uploader = `const uploaded = async (path) => {
  const form = new FormData();
  form.set("purpose", "user_data");
  form.set("file", new Blob([await readFile(path)]), path);
  return (await (await fetch("${BASE_URL}/files", { method: "POST", headers: { ${key} }, body: form })).json()).id;
};
`;
  const dataReader = `const dataUrl = async (path, kind) => \`data:\${kind};base64,\${(await readFile(path)).toString("base64")}\`;\n`;
  const reader = [filesOf(form).some(isLarge) ? uploader : "", filesOf(form).every(isLarge) ? "" : dataReader].join("");
  const filled = JSON.stringify(body, null, 2).replace(new RegExp(`"${MARK}(\\d+)${MARK}"`, "g"), (_, number) => {
    const file = fileOf(number);
    if (isLarge(file)) return `await uploaded(${JSON.stringify(file.name)})`;
    return `await dataUrl(${JSON.stringify(file.name)}, ${JSON.stringify(typeOf(file))})`;
  });
  return `${filesOf(form).length ? `import { readFile } from "node:fs/promises";\n\n${reader}` : ""}const response = await fetch("${BASE_URL}/chat/completions", {
  method: "POST",
  headers: {
    "content-type": "application/json",
    ${key},${form.fresh ? '\n    "x-interfaze-bypass-cache": "true",' : ""}
  },
  body: JSON.stringify(${filled.replaceAll("\n", "\n  ")}),
});
const answer = await response.json();
console.log(answer.choices[0].message.content);`;
}
