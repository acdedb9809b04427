// The fields of an answer, each with where it comes from and how sure that is.

import { clock, fill, h, link, percent, sureness } from "./dom.js";

const MATCHES = {
  exact: "stands there as it is", normalised: "stands there in another notation", fuzzy: "stands there but for some letters",
  derived: "follows from what stands there",
};

/** A button a field; `choose(found)` is called with the evidence of the one that is chosen. */
export function drawEvidence(root, content, { evidence, unsupported = [] }, choose) {
  let value;
  try {
    value = JSON.parse(content);
  } catch {
    value = null;
  }
  const rows = [...leaves(value)].map(([pointer, leaf]) => row(pointer, leaf, evidence[pointer], unsupported.includes(pointer)));
  const list = h("ul", { class: "sources" }, rows);
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    for (const other of list.querySelectorAll("[aria-pressed]")) other.setAttribute("aria-pressed", String(other === button));
    choose(evidence[button.dataset.pointer] ?? null);
  });
  fill(root, list);
}

function* leaves(value, pointer = "") {
  if (value !== null && typeof value === "object") {
    for (const [key, child] of Object.entries(value)) {
      yield* leaves(child, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
    }
  } else if (pointer) {
    yield [pointer, value];
  }
}

function row(pointer, value, found, isUnsupported) {
  const probability = found?.probability;
  const name = pointer.slice(1).replaceAll("/", " › ").replaceAll("~1", "/").replaceAll("~0", "~");
  const shown = value === null ? "—" : String(value);
  const sure = probability === undefined ? null
    : h("span", { class: `meter ${sureness(probability)}` }, meter(probability), percent(probability));
  return h("li", {},
    h("button", { type: "button", "aria-pressed": "false", data: { pointer } },
      h("span", { class: "name" }, name), h("span", { class: "value" }, shown),
      sure, isUnsupported ? h("span", { class: "badge warn" }, "not supported") : null),
    found ? h("p", { class: "passage" }, ...passage(found)) : null);
}

function meter(share) {
  const bar = h("i", {});
  bar.style.width = percent(share).replace(" ", "");
  return h("span", { class: "bar", "aria-hidden": "true" }, bar);
}

function passage(found) {
  const place = [
    found.page === undefined ? null : `page ${found.page}`,
    found.timestamp === undefined ? null : `at ${clock(found.timestamp[0])}`,
    found.speaker, found.name === "request" ? "in the prompt" : found.name,
  ].filter(Boolean).join(", ");
  return [
    found.text ? h("q", {}, String(found.text)) : "", " ", h("span", {}, place),
    found.match ? h("span", {}, `, ${MATCHES[found.match] ?? found.match}`) : "", " ",
    found.url ? link(found.url) : "",
  ];
}
