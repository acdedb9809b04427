// The pages that were sent, one at a time, and over each what was found on it.

import { pointsOf } from "./boxes.js";
import { fill, h, percent, roving, s, sureness } from "./dom.js";
import { Sources } from "./sources.js";

const LAYERS = { word: "Words", line: "Lines", table: "Tables", object: "Objects", element: "Elements" };
const ZOOMS = [1, 1.5, 2, 3, 4];

export class Viewer {
  number = 1;
  #root;
  #told;
  #sources = new Sources();
  #boxes = null;
  #hidden = new Set();
  #least = 0;
  #zoom = 0;
  #turn = 0;
  #evidence = null;
  #lit = [];
  #polygons = new Map();
  #beside = new Map(); // Outlines, masks, labels and letters, by the box that they belong to.
  #overlay = null;

  /** `told` has `light(box)`, called when a box is pointed at or left, `page(number)` and `least(confidence)`. */
  constructor(root, told) {
    this.#root = root;
    this.#told = told;
    this.pages = h("div", { class: "pages", "data-testid": "pages", role: "group",
      "aria-label": "Pages. Arrow keys go from page to page, Enter shows one." });
    roving(this.pages, "button");
    this.tools = h("div", { class: "tools" });
    this.stage = h("div", { class: "stage" });
    this.caption = h("p", { class: "hint caption", dir: "auto", "aria-hidden": "true" });
    root.append(this.pages, this.tools, this.stage, this.caption);
    new ResizeObserver(() => this.#scale()).observe(this.stage);
  }

  /** Shows what `files` look like, without boxes. */
  async open(files) {
    this.#boxes = this.#evidence = null;
    this.#sources.close();
    this.#sources = new Sources(files);
    await this.show(1);
  }

  /** Lays `boxes` over the pages. */
  async draw(boxes) {
    this.#boxes = boxes;
    this.#evidence = null;
    this.#hidden = new Set();
    this.#least = 0;
    if (boxes.kinds().includes("word")) this.#hidden.add("line");
    const first = boxes.numbers.find((number) => boxes.pages.get(number).boxes.length);
    await this.show(first ?? 1);
  }

  /** Lets the boxes go, while something else is asked. */
  clear() {
    this.#boxes = this.#evidence = null;
    this.#overlay?.remove();
    this.#overlay = null;
    this.#lit = [];
    fill(this.tools);
    fill(this.caption);
  }

  async show(number) {
    const turn = ++this.#turn;
    const page = this.#boxes?.pages.get(number);
    const count = await this.#sources.count(this.#boxes);
    if (turn !== this.#turn) return;
    this.#root.hidden = count === 0;
    if (!count) return;
    this.number = number;
    this.#list(count);
    const { element, width, height } = await this.#sources.page(number, page, this.stage.clientWidth || 600);
    if (turn !== this.#turn) return;
    const sheet = h("div", { class: "sheet" }, element);
    sheet.style.setProperty("--ratio", width / height);
    sheet.style.setProperty("--width", width);
    this.#overlay = null;
    fill(this.stage, sheet);
    if (this.#boxes) {
      this.#overlay = this.#drawn(page, width, height, element.className === "blank");
      sheet.append(this.#overlay);
      this.#mark();
    }
    this.#tool();
    this.#scale();
    this.#told.page(number);
  }

  /** Lights `boxes`, which are of one page, and no others; says beneath the page what they are. */
  async light(boxes, scroll = false) {
    if (boxes.length && boxes[0].page !== this.number) await this.show(boxes[0].page);
    const mark = ({ id }, on) => {
      this.#polygons.get(id)?.classList.toggle("lit", on);
      for (const beside of this.#beside.get(id) ?? []) beside.classList.toggle("named", on);
    };
    for (const box of this.#lit) mark(box, false);
    this.#lit = boxes;
    for (const box of boxes) mark(box, true);
    fill(this.caption, boxes.map((box) => box.text ?? box.label).join(" "),
      boxes.length === 1 && boxes[0].confidence !== undefined ? ` · ${percent(boxes[0].confidence)}` : null);
    const polygon = this.#polygons.get(boxes[0]?.id);
    if (polygon && scroll) this.#reveal(polygon);
  }

  /** Shows where a value stands; without bounds it shows nothing more. */
  async source(page, bounds) {
    this.#evidence = bounds ? { page: page ?? 1, points: pointsOf(bounds) } : null;
    if (bounds && this.number !== (page ?? 1)) await this.show(page ?? 1);
    else this.#mark();
    const polygon = this.#overlay?.querySelector('[data-kind="evidence"]');
    if (polygon) this.#reveal(polygon);
  }

  #reveal(polygon) {
    const [box, stage] = [polygon.getBoundingClientRect(), this.stage.getBoundingClientRect()];
    const outside = box.top < stage.top || box.bottom > stage.bottom || box.left < stage.left || box.right > stage.right;
    if (outside) this.stage.scrollBy(box.left - stage.left - stage.width / 2, box.top - stage.top - stage.height / 2);
  }

  #list(count) {
    const current = String(this.number);
    if (this.pages.children.length !== count) {
      const button = (number) => h("button", { type: "button", "aria-label": `Page ${number}`, data: { page: number },
        onclick: () => this.show(number) }, String(number));
      fill(this.pages, Array.from({ length: count }, (_, index) => button(index + 1)));
    }
    this.pages.hidden = count < 2;
    for (const button of this.pages.children) {
      const isCurrent = button.dataset.page === current;
      button.tabIndex = isCurrent ? 0 : -1;
      if (isCurrent) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
  }

  #drawn(page, width, height, isBlank) {
    const boxes = page?.boxes ?? [];
    this.#polygons = new Map();
    this.#beside = new Map();
    const labels = [];
    const overlay = s("svg", {
      class: "overlay", "data-testid": "overlay", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none",
      tabindex: boxes.length ? 0 : undefined, role: "group", "aria-roledescription": "page",
      "aria-label": `Page ${this.number}: ${boxes.length} boxes. Arrow keys go from box to box.`,
    });
    // What is small lies on what is large, so that both can be pointed at.
    const order = ["table", "line", "object", "element", "word"];
    const area = (box) => box.bounds.width * box.bounds.height;
    const sorted = [...boxes].sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind) || area(other) - area(one));
    for (const box of sorted) {
      const polygon = s("polygon", {
        points: box.points.map((point) => point.join(",")).join(" "), class: `${box.kind} ${sureness(box.confidence)}`,
        data: { kind: box.kind, box: box.id, ...(box.type ? { type: box.type } : {}) },
      });
      this.#polygons.set(box.id, polygon);
      const below = [...shapes(box), ...(isBlank && box.kind === "word" ? [written(box)] : [])];
      const above = box.kind === "object" || box.kind === "element" ? [label(box)] : [];
      this.#beside.set(box.id, [...below, ...above]);
      labels.push(...above);
      overlay.append(...below, polygon);
    }
    overlay.append(...labels);
    overlay.addEventListener("pointerover", (event) => this.#point(event.target));
    overlay.addEventListener("pointerleave", () => this.#point(null));
    overlay.addEventListener("click", (event) => this.#point(event.target, true));
    overlay.addEventListener("keydown", (event) => this.#walk(event, boxes));
    return overlay;
  }

  #point(target, chosen = false) {
    const box = target?.dataset?.box === undefined ? null : this.#boxes.all[Number(target.dataset.box)];
    if (box === (this.#lit[0] ?? null) && !chosen) return;
    this.light(box ? [box] : []);
    this.#told.light(box, chosen);
  }

  #walk(event, boxes) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const seen = boxes.filter((box) => this.#isSeen(box));
    const at = seen.indexOf(this.#lit[0]);
    const box = seen[at < 0 ? (step > 0 ? 0 : seen.length - 1) : (at + step + seen.length) % seen.length];
    if (!box) return;
    this.light([box], true);
    this.#told.light(box, true);
  }

  #isSeen(box) {
    return !this.#hidden.has(box.kind) && !(box.confidence < this.#least);
  }

  /** What the tools say, on the boxes; and the source of the chosen field. */
  #mark() {
    if (!this.#overlay) return;
    const boxes = this.#boxes.pages.get(this.number)?.boxes ?? [];
    for (const box of boxes) {
      const seen = this.#isSeen(box);
      this.#polygons.get(box.id).classList.toggle("off", !seen);
      for (const beside of this.#beside.get(box.id)) beside.classList.toggle("off", !seen);
    }
    for (const shown of this.#overlay.querySelectorAll('[data-kind="evidence"], .source')) shown.remove();
    this.#overlay.classList.toggle("sourced", this.#evidence !== null);
    if (this.#evidence?.page === this.number) {
      const points = this.#evidence.points.map((point) => point.join(",")).join(" ");
      // The frame beside it, so that what stands there can be read.
      this.#overlay.append(s("polygon", { points, class: "evidence", data: { kind: "evidence" } }), framed(this.#evidence.points, "frame source"));
    }
  }

  #tool() {
    if (!this.#boxes) return fill(this.tools, this.#zoomer());
    const boxes = this.#boxes.pages.get(this.number)?.boxes ?? [];
    const kinds = [...new Set(boxes.map((box) => box.kind))];
    const toggles = kinds.map((kind) => h("label", { class: `toggle ${kind}` },
      h("input", { type: "checkbox", checked: !this.#hidden.has(kind), onchange: (event) => {
        this.#hidden[event.target.checked ? "delete" : "add"](kind);
        this.#mark();
      } }), `${LAYERS[kind]} ${boxes.filter((box) => box.kind === kind).length}`));
    const shown = h("output", {}, percent(this.#least));
    const slider = h("input", { type: "range", min: 0, max: 100, step: 1, "data-testid": "confidence",
      "aria-label": "Least confidence in percent", oninput: (event) => {
        this.#least = Number(event.target.value) / 100;
        shown.value = percent(this.#least);
        this.#mark();
        this.#told.least(this.#least);
      } });
    slider.value = this.#least * 100;
    const filter = boxes.some((box) => box.confidence !== undefined)
      ? h("label", { class: "filter" }, h("span", {}, "Sure by"), slider, shown) : null;
    return fill(this.tools, toggles, filter, this.#zoomer());
  }

  #zoomer() {
    const by = (step, name, sign) => h("button", { type: "button", class: "quiet", "aria-label": name, onclick: () => {
      this.#zoom = Math.min(Math.max(this.#zoom + step, 0), ZOOMS.length - 1);
      this.#scale();
    } }, sign);
    return h("span", { class: "zoom" }, by(-1, "Smaller", "−"), by(1, "Larger", "+"));
  }

  #scale() {
    const sheet = this.stage.firstElementChild;
    sheet?.style.setProperty("--zoom", ZOOMS[this.#zoom]);
    if (!this.#overlay) return;
    const shown = this.#overlay.getBoundingClientRect().width;
    if (shown) this.#overlay.style.setProperty("--unit", `${this.#overlay.viewBox.baseVal.width / shown}px`);
  }
}

/** The upright rectangle around `points`. */
function around(points) {
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** A frame beside `points` and as wide as on the screen, however small the picture: what stands within can be read. */
function framed(points, name, data) {
  const frame = s("rect", { class: name, data });
  for (const [side, value] of Object.entries(around(points))) frame.style.setProperty(`--${side}`, `${value}px`);
  return frame;
}

/** A frame around an element, and an outline and a mask, where an object has them. */
function shapes(box) {
  const found = [];
  const { x, y, width, height } = around(box.points);
  if (box.kind === "element") found.push(framed(box.points, "frame", { type: box.type }));
  if (typeof box.mask === "string") {
    const id = `mask-${box.id}`;
    const url = box.mask.startsWith("data:image/png;base64,") ? box.mask : `data:image/png;base64,${box.mask}`;
    found.push(
      s("mask", { id }, s("image", { href: url, x, y, width, height, preserveAspectRatio: "none" })),
      s("rect", { x, y, width, height, mask: `url(#${id})`, class: "mask" }),
    );
  }
  if (Array.isArray(box.outline) && box.outline.length) {
    const points = box.outline.map((point) => (Array.isArray(point) ? point : [point.x, point.y]).join(" "));
    found.push(s("path", { d: `M${points.join("L")}Z`, class: "outline" }));
  }
  return found;
}

/** A word on a sheet without a picture, as large as it stands there. */
function written(box) {
  const [[x], , , [, y]] = box.points;
  const { width, height } = box.bounds;
  return s("text", { x, y: y - height * 0.2, class: "written", "font-size": height * 0.85, textLength: width, lengthAdjust: "spacingAndGlyphs", "aria-hidden": "true" }, box.text);
}

function label(box) {
  const [[x, y]] = box.points;
  const text = box.kind === "object" ? `${box.label} ${percent(box.confidence ?? 1)}` : box.type;
  return s("text", { x, y, class: `tag ${box.kind}`, data: box.type ? { type: box.type } : {}, "aria-hidden": "true" }, text);
}
