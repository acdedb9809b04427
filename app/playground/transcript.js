// What was said, beside the sound: a waveform, chunks that play from where they begin, and the one that is heard lit.

import { clock, fill, h, roving } from "./dom.js";

const MOST_DECODED = 24e6; // Bytes of a file whose sound is decoded here; of longer ones the chunks alone are drawn.
const RATE = 8000;
const GROUP = 40;

export class Transcript {
  #root;
  #media = null;
  #url = null;
  #chunks = [];
  #elements = [];
  #current = -1;
  #peaks = null;
  #duration = 0;
  #canvas = null;

  constructor(root) {
    this.#root = root;
  }

  close() {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = null;
    this.#media?.pause();
    fill(this.#root);
    this.#root.hidden = true;
  }

  /** `file` is what was heard; null where it came from an address. */
  open(result, file) {
    this.close();
    this.#chunks = result.chunks ?? [];
    this.#peaks = null;
    this.#current = -1;
    this.#duration = this.#chunks.at(-1)?.timestamp[1] ?? 0;
    this.#root.hidden = false;
    const told = [result.language ? `Language: ${result.language}` : null, result.low_confidence ? "Hard to hear" : null];
    const player = file ? this.#player(file) : [];
    const list = h("div", { class: "transcript", "data-testid": "transcript", role: "group", "aria-label": "Transcript. Arrow keys go from chunk to chunk, Enter plays." },
      this.#groups());
    roving(list, ".chunk");
    list.addEventListener("click", (event) => {
      const chunk = event.target.closest(".chunk");
      if (chunk) this.seek(Number(chunk.dataset.start), true);
    });
    fill(this.#root, h("div", { class: "head" }, h("h2", {}, "Transcript"), h("span", { class: "hint" }, told.filter(Boolean).join(" · "))),
      player, list);
    this.#paint();
  }

  seek(seconds, plays = false) {
    if (!this.#media) return;
    this.#media.currentTime = seconds;
    if (plays) this.#media.play().catch(() => undefined);
    this.#follow();
  }

  #player(file) {
    this.#url = URL.createObjectURL(file);
    const isVideo = file.type.startsWith("video/");
    this.#media = h(isVideo ? "video" : "audio", { src: this.#url, controls: true, preload: "metadata", "aria-label": file.name });
    this.#media.addEventListener("loadedmetadata", () => {
      if (Number.isFinite(this.#media.duration)) this.#duration = this.#media.duration;
      this.#paint();
    });
    this.#media.addEventListener("timeupdate", () => this.#follow());
    this.#media.addEventListener("seeked", () => this.#follow());
    this.#media.addEventListener("play", () => this.#run());
    this.#canvas = h("canvas", { class: "wave", "aria-hidden": "true" });
    this.#canvas.addEventListener("click", (event) => {
      const box = this.#canvas.getBoundingClientRect();
      this.seek((event.clientX - box.left) / box.width * this.#duration);
    });
    new ResizeObserver(() => this.#paint()).observe(this.#canvas);
    if (file.size <= MOST_DECODED) this.#decode(file);
    return [this.#canvas, this.#media];
  }

  async #decode(file) {
    try {
      const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await file.arrayBuffer());
      const samples = sound.getChannelData(0);
      const count = Math.min(1200, samples.length);
      const size = samples.length / count;
      this.#peaks = Float32Array.from({ length: count }, (_, index) => {
        let most = 0;
        for (let at = Math.floor(index * size); at < (index + 1) * size; at += 1) most = Math.max(most, Math.abs(samples[at]));
        return most;
      });
      this.#paint();
    } catch {
      this.#peaks = null; // The browser does not know the format: the chunks are drawn all the same.
    }
  }

  /** A paragraph for each turn of a speaker, and for every few chunks. */
  #groups() {
    const speakers = [...new Set(this.#chunks.map((chunk) => chunk.speaker).filter(Boolean))];
    this.#elements = [];
    const groups = [];
    let group = null;
    let speaker;
    this.#chunks.forEach((chunk, index) => {
      if (!group || chunk.speaker !== speaker || group.children.length > GROUP) {
        const isNew = chunk.speaker && chunk.speaker !== speaker;
        speaker = chunk.speaker;
        const number = speakers.indexOf(speaker);
        group = h("p", { class: number < 0 ? "turn" : `turn speaker-${number % 6}` },
          isNew ? h("strong", { class: "speaker" }, speaker.replace("_", " ")) : null);
        groups.push(group);
      }
      const [start, end] = chunk.timestamp;
      const element = h("button", { type: "button", class: "chunk", tabindex: -1, dir: "auto", title: `${clock(start)} to ${clock(end)}`,
        data: { start, end } }, h("span", { class: "time", "aria-hidden": "true" }, clock(start)), chunk.text);
      this.#elements[index] = element;
      group.append(element, " ");
    });
    return groups;
  }

  #run() {
    const step = () => {
      this.#follow();
      if (!this.#media.paused && !this.#media.ended) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  #follow() {
    const now = this.#media.currentTime;
    let found = -1;
    // Chunks are in order of their starts: the last that has begun and is not over.
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#chunks[middle].timestamp[0] <= now + 0.01) low = middle + 1;
      else high = middle;
    }
    if (low > 0 && now < this.#chunks[low - 1].timestamp[1]) found = low - 1;
    if (found !== this.#current) {
      this.#elements[this.#current]?.removeAttribute("aria-current");
      this.#elements[found]?.setAttribute("aria-current", "true");
      if (!this.#media.paused) this.#elements[found]?.scrollIntoView({ block: "nearest" });
      this.#current = found;
    }
    this.#paint();
  }

  #paint() {
    const canvas = this.#canvas;
    if (!canvas?.clientWidth || !this.#duration) return;
    const [width, height] = [canvas.clientWidth * devicePixelRatio, canvas.clientHeight * devicePixelRatio];
    if (canvas.width !== Math.round(width)) [canvas.width, canvas.height] = [Math.round(width), Math.round(height)];
    const pen = canvas.getContext("2d");
    const colour = (name) => getComputedStyle(canvas).getPropertyValue(name);
    const [said, quiet] = [colour("--accent"), colour("--faint-line")];
    const speakers = [...new Set(this.#chunks.map((chunk) => chunk.speaker).filter(Boolean))];
    const at = (seconds) => seconds / this.#duration * width;
    pen.clearRect(0, 0, width, height);
    const middle = height * 0.45;
    if (this.#peaks) {
      const most = Math.max(...this.#peaks) || 1;
      const now = at(this.#media.currentTime);
      const bar = width / this.#peaks.length;
      this.#peaks.forEach((peak, index) => {
        pen.fillStyle = index * bar < now ? said : quiet;
        const size = Math.max(peak / most * middle, 0.5 * devicePixelRatio);
        pen.fillRect(index * bar, middle - size, Math.max(bar * 0.7, 1), size * 2);
      });
    }
    for (const { timestamp: [start, end], speaker } of this.#chunks) {
      pen.fillStyle = speaker ? colour(`--hue-${speakers.indexOf(speaker) % 6}`) : said;
      pen.fillRect(at(start), height - 5 * devicePixelRatio, Math.max(at(end) - at(start) - devicePixelRatio, 1), 4 * devicePixelRatio);
    }
    pen.fillStyle = said;
    pen.fillRect(at(this.#media.currentTime) - devicePixelRatio, 0, 2 * devicePixelRatio, height);
  }
}
