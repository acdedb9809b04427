// The files that were sent, as pages to look at: pictures, pages of PDFs, frames of videos. Pages run on through all files.

import { h } from "./dom.js";
import { typeOf } from "./request.js";

const PDF_SCALE = 2; // The server's pages of PDFs are pictures of 144 DPI; a PDF has 72 points an inch.
const MOST_PIXELS = 4096;
let library = null;

/** PDF.js, when the first PDF comes. */
function pdfjs() {
  library ??= import("./pdfjs/pdf.min.mjs").then((loaded) => {
    loaded.GlobalWorkerOptions.workerSrc = new URL("./pdfjs/pdf.worker.min.mjs", import.meta.url).href;
    return loaded;
  });
  return library;
}

export class Sources {
  #files;
  #urls = new Map();
  #documents = new Map();

  constructor(files = []) {
    this.#files = files.map((file) => ({ file, kind: kindOf(typeOf(file)) })).filter(({ kind }) => kind !== null);
  }

  close() {
    for (const url of this.#urls.values()) URL.revokeObjectURL(url);
    for (const pdf of this.#documents.values()) pdf.then((opened) => opened?.loadingTask.destroy());
    this.#urls.clear();
    this.#documents.clear();
  }

  /** How many pages there are; those that only the result knows count, too. */
  async count(boxes) {
    let count = 0;
    for (const { file, kind } of this.#files) count += await this.#pagesOf(file, kind, boxes);
    return Math.max(count, ...(boxes?.numbers ?? []));
  }

  /** An element that shows page `number`, and the size of its picture. `told` is what the result says of it. */
  async page(number, told, shownWidth) {
    let rest = number;
    for (const { file, kind } of this.#files) {
      const count = await this.#pagesOf(file, kind, null, told);
      if (rest <= count || (kind === "video" && told?.timestamp !== undefined)) {
        try {
          return sized(await this.#drawn(file, kind, rest, told, shownWidth), told);
        } catch (error) {
          console.info(`${file.name} cannot be shown here: ${error.message}`);
          return blank(told);
        }
      }
      rest -= count;
    }
    return blank(told);
  }

  async #pagesOf(file, kind, boxes) {
    if (kind === "pdf") return (await this.#pdf(file))?.numPages ?? 1;
    if (kind === "video") {
      const frames = [...(boxes?.pages.values() ?? [])].filter((page) => page.timestamp !== undefined).length;
      return Math.max(frames, 1);
    }
    return 1;
  }

  #drawn(file, kind, local, told, shownWidth) {
    if (kind === "pdf") return this.#pdfPage(file, local, shownWidth);
    return kind === "video" ? this.#frame(file, told?.timestamp ?? 0) : this.#picture(file);
  }

  #url(file) {
    if (!this.#urls.has(file)) this.#urls.set(file, URL.createObjectURL(file));
    return this.#urls.get(file);
  }

  async #picture(file) {
    const element = h("img", { src: this.#url(file), alt: file.name });
    await element.decode();
    return { element, width: element.naturalWidth, height: element.naturalHeight };
  }

  async #frame(file, seconds) {
    const element = h("video", { src: this.#url(file), muted: true, playsinline: true, preload: "auto", "aria-label": file.name });
    await new Promise((done, failed) => {
      element.onloadedmetadata = () => { element.currentTime = seconds; };
      element.onseeked = done;
      element.onerror = () => failed(new Error("the browser does not play it"));
    });
    return { element, width: element.videoWidth, height: element.videoHeight };
  }

  /** The document, or null where it does not open. */
  #pdf(file) {
    if (!this.#documents.has(file)) {
      const opened = Promise.all([pdfjs(), file.arrayBuffer()]).then(([{ getDocument }, data]) => getDocument({
        data, wasmUrl: new URL("./pdfjs/", import.meta.url).href, isEvalSupported: false, enableXfa: false,
      }).promise);
      this.#documents.set(file, opened.catch((error) => {
        console.info(`${file.name} cannot be shown here: ${error.message}`);
        return null;
      }));
    }
    return this.#documents.get(file);
  }

  async #pdfPage(file, local, shownWidth) {
    const pdf = await this.#pdf(file);
    if (!pdf) throw new Error("the PDF does not open");
    const page = await pdf.getPage(local);
    const size = page.getViewport({ scale: PDF_SCALE });
    const wanted = Math.max(shownWidth * devicePixelRatio / (size.width / PDF_SCALE), PDF_SCALE);
    const viewport = page.getViewport({ scale: Math.min(wanted, MOST_PIXELS / Math.max(size.width, size.height) * PDF_SCALE) });
    const element = h("canvas", { width: Math.ceil(viewport.width), height: Math.ceil(viewport.height), role: "img",
      "aria-label": `${file.name}, page ${local}` });
    await page.render({ canvas: element, viewport }).promise;
    page.cleanup();
    return { element, width: Math.round(size.width), height: Math.round(size.height) };
  }
}

function kindOf(type) {
  if (type === "application/pdf") return "pdf";
  if (type.startsWith("image/")) return "picture";
  return type.startsWith("video/") ? "video" : null;
}

/** The result knows a page's size best. */
function sized(drawn, told) {
  return { ...drawn, width: told?.width ?? drawn.width, height: told?.height ?? drawn.height };
}

/** A sheet without a picture: the browser cannot show the file, or it came from an address. */
function blank(told) {
  const corners = (told?.boxes ?? []).flatMap((box) => box.points);
  const width = told?.width ?? Math.max(600, ...corners.map(([x]) => x + 20));
  const height = told?.height ?? Math.max(400, ...corners.map(([, y]) => y + 20));
  return { element: h("div", { class: "blank" }), width, height };
}
