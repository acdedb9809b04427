// Elements, made without HTML: whatever a model or a web page says is text.

const SVG = "http://www.w3.org/2000/svg";

function made(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  // One by one: of a long list there are more than a call has room for.
  for (const child of children.flat()) if (child !== undefined && child !== null) element.append(child);
  return element;
}

/** An HTML element. `data` is its dataset, `onclick` and the like are listeners, the rest attributes. */
export function h(tag, attributes, ...children) {
  return made(document.createElement(tag), attributes, children);
}

/** An element of SVG, likewise. */
export function s(tag, attributes, ...children) {
  return made(document.createElementNS(SVG, tag), attributes, children);
}

export const byId = (id) => document.getElementById(id);

/** Shows `element` with `children`, or hides it where there are none. */
export function fill(element, ...children) {
  element.replaceChildren();
  for (const child of children.flat()) if (child) element.append(child);
}

const PIECE = 4000;

/** A long text as blocks, of which only those in view are laid out; a line ends where a block does. */
export function pieces(text) {
  const found = [];
  for (let start = 0, end; start < text.length; start = end) {
    end = Math.min(start + PIECE, text.length);
    const line = text.lastIndexOf("\n", end - 1) + 1;
    if (end < text.length && line > start) end = line;
    found.push(h("span", { class: "piece" }, text.slice(start, end)));
  }
  return found;
}

/** A link where the address is one of the web's, which it shows when it is pointed at; else its text. */
export function link(url, text) {
  return /^https?:\/\//i.test(url ?? "")
    ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer", title: url }, text || url)
    : h("span", {}, text || url || "");
}

/** A listener that copies what `text()` gives. */
export function copier(text) {
  return async ({ currentTarget: button }) => {
    const copied = await copy(text());
    button.textContent = copied ? "Copied" : "Cannot copy";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
}

async function copy(text) {
  // Browsers have a clipboard only for pages by HTTPS or of one's own machine; the older way does without.
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const place = h("textarea", { class: "skip", "aria-hidden": "true" });
  place.value = text;
  document.body.append(place);
  place.select();
  const copied = document.execCommand("copy");
  place.remove();
  return copied;
}

/** Brings `place` into view: in its own list, and on a wide page, where the picture stays beside it, in the window. */
export function reveal(place) {
  const list = place.closest(".lines, .things, .transcript");
  if (matchMedia("(min-width: 80rem)").matches) return place.scrollIntoView({ block: "nearest", behavior: "instant" });
  if (!list) return undefined;
  const [box, frame] = [place.getBoundingClientRect(), list.getBoundingClientRect()];
  return list.scrollBy(0, Math.min(box.top - frame.top, 0) + Math.max(box.bottom - frame.bottom, 0));
}

export const percent = (share) => `${Math.round(share * 100)} %`;

const LONGEST_WHOLE = 24; // Letters of a text that fits a line of a telephone.

/** Whether `text` stays on one line: short, with a figure, as dates and amounts are. */
export const isWhole = (text) => text.length <= LONGEST_WHOLE && /\d/.test(text);

/** `text` as parts, of which dates and amounts do not break. */
export function unbroken(text) {
  const parts = isWhole(text) ? [text] : text.split(/(\s+)/);
  return parts.map((part) => (isWhole(part) ? h("span", { class: "whole" }, part) : part));
}

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

export function clock(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** One of five classes for a share between 0 and 1: how sure something is, as a colour. */
export function sureness(share) {
  if (share === undefined || share === null) return "sure-none";
  return ["sure-0", "sure-1", "sure-2", "sure-3", "sure-4"][[0.5, 0.7, 0.9, 0.97].filter((step) => share >= step).length];
}

/** One word for how sure a value is, the same as in tables; null where nothing is known of its probability. */
export function certainty(value, probability) {
  if (value === null || value === "") return "empty";
  if (probability === undefined) return null;
  return probability >= 0.9 ? "sure" : probability >= 0.7 ? "likely" : "unsure";
}

/** Arrow keys, Home and End move the focus among `items` of `container`; Tab passes all of them at once. */
export function roving(container, selector) {
  const all = () => [...container.querySelectorAll(selector)];
  const first = container.querySelector(selector);
  if (first) first.tabIndex = 0;
  container.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (!item) return;
    container.querySelector(`${selector}[tabindex="0"]`)?.setAttribute("tabindex", "-1");
    item.tabIndex = 0;
  });
  container.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step && event.key !== "Home" && event.key !== "End") return;
    const items = all().filter((item) => !item.hidden);
    const at = items.indexOf(event.target.closest(selector));
    if (at < 0) return;
    event.preventDefault();
    const next = event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : at + step;
    items[Math.min(Math.max(next, 0), items.length - 1)].focus();
  });
}
