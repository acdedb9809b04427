// What results say of places, as boxes on pages: one form for words, lines, tables, objects and elements.

const CORNERS = ["top_left", "top_right", "bottom_right", "bottom_left"];

export const pointsOf = (bounds) => CORNERS.map((corner) => [bounds[corner].x, bounds[corner].y]);

/** Where `boxes`, which are of one page, stand together: what evidence says of a place; null for none. */
export function placeOf(boxes) {
  if (!boxes.length) return null;
  const points = boxes.flatMap((box) => box.points);
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const [left, top, right, bottom] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  const bounds = {
    top_left: { x: left, y: top }, top_right: { x: right, y: top }, bottom_right: { x: right, y: bottom }, bottom_left: { x: left, y: bottom },
    width: right - left, height: bottom - top,
  };
  return { page: boxes[0].page, bounds, text: boxes.map(({ text }) => text).join(" ") };
}

/** All boxes of `entries` (`{name, result}`), by page; and which box belongs to which member of a result. */
export class Boxes {
  pages = new Map();
  all = [];
  #of = new Map();

  constructor(entries) {
    for (const { result } of entries) {
      if (Array.isArray(result?.sections)) this.#read(result);
      for (const one of listed(result?.detected_objects)) this.#add("object", one, one, { label: one.label });
      for (const one of listed(result?.gui_elements)) {
        this.#add("element", one, one, { label: one.text ? `${one.type}: ${one.text}` : one.type, type: one.type });
      }
    }
  }

  get numbers() {
    return [...this.pages.keys()].sort((one, other) => one - other);
  }

  of(member) {
    return this.#of.get(member);
  }

  kinds() {
    return [...new Set(this.all.map((box) => box.kind))];
  }

  #read(result) {
    for (const section of result.sections) {
      this.#page(section.page, section.width ?? result.width, section.height ?? result.height, section.timestamp);
      for (const table of listed(section.tables ?? result.tables)) this.#add("table", table, section, { label: "table" });
      for (const line of listed(section.lines)) {
        this.#add("line", line, section, { text: line.text, confidence: line.average_confidence });
        for (const word of listed(line.words)) this.#add("word", word, section, { text: word.text });
      }
    }
  }

  #page(number = 1, width, height, timestamp) {
    const known = this.pages.get(number);
    if (known) {
      known.width ??= width;
      known.height ??= height;
      known.timestamp ??= timestamp;
      return known;
    }
    const page = { number, width, height, timestamp, boxes: [] };
    this.pages.set(number, page);
    return page;
  }

  #add(kind, member, place, more) {
    if (!member.bounds) return;
    const page = this.#page(place.page, undefined, undefined, place.timestamp);
    const box = {
      id: this.all.length, kind, page: page.number, points: pointsOf(member.bounds), bounds: member.bounds,
      confidence: member.confidence, text: member.text, outline: member.polygon, mask: member.mask, ...more,
    };
    this.all.push(box);
    page.boxes.push(box);
    this.#of.set(member, box);
  }
}

const listed = (value) => (Array.isArray(value) ? value : []);
