// What was said, beside the sound: a waveform, chunks that play from where they begin, and the one that is heard lit.

import { bytes, clock, fill, h, roving } from "./dom.js";

const MOST_DECODED = 24e6; // Bytes of a file whose sound is decoded here; of longer ones the chunks alone are drawn.
const RATE = 8000;
const GROUP = 40;

export class TranscriptView {
  #root;
  #media = null;
  #url = null;
  #chunks = [];
  #elements = [];
  #current = -1;
  #peaks = null;
  #duration = 0;
  #canvas = null;
  #still = null; // What is under the line that moves, drawn once: `ahead` of it, and what was `played`.
  #watch = new ResizeObserver(() => this.#paint());

  constructor(root) {
    this.#root = root;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#still = null;
      this.#paint();
    });
  }

  close() {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#media?.pause();
    this.#watch.disconnect();
    this.#url = this.#media = this.#canvas = this.#peaks = this.#still = null;
    fill(this.#root);
    this.#root.hidden = true;
  }

  /** `file` is what was heard; null where it came from an address. */
  open(result, file) {
    this.close();
    this.#chunks = result.chunks ?? [];
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
    const media = h(file.type.startsWith("video/") ? "video" : "audio", { src: this.#url, controls: true, preload: "metadata", "aria-label": file.name });
    this.#media = media;
    // What one that is gone still tells is of no interest.
    const on = (name, listen) => media.addEventListener(name, () => media === this.#media && listen());
    on("loadedmetadata", () => {
      if (Number.isFinite(media.duration)) this.#duration = media.duration;
      this.#still = null;
      this.#paint();
    });
    on("timeupdate", () => this.#follow());
    on("seeked", () => this.#follow());
    on("play", () => this.#run(media));
    this.#canvas = h("canvas", { class: "wave", "aria-hidden": "true" });
    this.#canvas.addEventListener("click", (event) => {
      const box = this.#canvas.getBoundingClientRect();
      this.seek((event.clientX - box.left) / box.width * this.#duration);
    });
    this.#watch.observe(this.#canvas);
    if (file.size <= MOST_DECODED) this.#decode(file, media);
    const without = file.size <= MOST_DECODED ? null
      : h("p", { class: "hint" }, `No waveform: the file is over ${bytes(MOST_DECODED)}. The phrases are drawn alone.`);
    return [this.#canvas, media, without];
  }

  async #decode(file, media) {
    let peaks;
    try {
      peaks = peaksOf(await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await file.arrayBuffer()));
    } catch {
      return; // The browser does not know the format: the chunks are drawn all the same.
    }
    if (media !== this.#media) return;
    this.#peaks = peaks;
    this.#still = null;
    this.#paint();
  }

  /** A paragraph for each turn of a speaker, and for every few chunks. */
  #groups() {
    const speakers = speakersOf(this.#chunks);
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

  #run(media) {
    const step = () => {
      if (media !== this.#media) return;
      this.#follow();
      if (!media.paused && !media.ended) requestAnimationFrame(step);
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
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((size) => Math.round(size * devicePixelRatio));
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
      this.#still = null;
    }
    this.#still ??= this.#drawn(width, height);
    const pen = canvas.getContext("2d");
    const now = Math.min(this.#media.currentTime / this.#duration, 1) * width;
    pen.clearRect(0, 0, width, height);
    pen.drawImage(this.#still.ahead, 0, 0);
    if (now >= 1) pen.drawImage(this.#still.played, 0, 0, now, height, 0, 0, now, height);
    pen.fillStyle = this.#still.line;
    pen.fillRect(now - devicePixelRatio, 0, 2 * devicePixelRatio, height);
  }

  /** The waveform and the chunks below it: a two-hour recording has too many of them to draw in each frame. */
  #drawn(width, height) {
    const style = getComputedStyle(this.#canvas);
    const [said, quiet] = ["--accent", "--faint-line"].map((name) => style.getPropertyValue(name));
    const hues = Array.from({ length: 6 }, (_, index) => style.getPropertyValue(`--hue-${index}`));
    const speakers = speakersOf(this.#chunks);
    const layer = (colour) => {
      const canvas = new OffscreenCanvas(width, height);
      const pen = canvas.getContext("2d");
      const at = (seconds) => seconds / this.#duration * width;
      const middle = height * 0.45;
      const bar = width / (this.#peaks?.length ?? 1);
      pen.fillStyle = colour;
      this.#peaks?.forEach((peak, index) => {
        const size = Math.max(peak * middle, 0.5 * devicePixelRatio);
        pen.fillRect(index * bar, middle - size, Math.max(bar * 0.7, 1), size * 2);
      });
      for (const { timestamp: [start, end], speaker } of this.#chunks) {
        pen.fillStyle = speaker ? hues[speakers.indexOf(speaker) % 6] : said;
        pen.fillRect(at(start), height - 5 * devicePixelRatio, Math.max(at(end) - at(start) - devicePixelRatio, 1), 4 * devicePixelRatio);
      }
      return canvas;
    };
    return { ahead: layer(quiet), played: layer(said), line: said };
  }
}

const speakersOf = (chunks) => [...new Set(chunks.map((chunk) => chunk.speaker).filter(Boolean))];

/** How loud a sound is over its length, as shares of the loudest. */
function peaksOf(sound) {
  const samples = sound.getChannelData(0);
  const count = Math.min(1200, samples.length);
  const size = samples.length / count;
  const peaks = Float32Array.from({ length: count }, (_, index) => {
    let most = 0;
    for (let at = Math.floor(index * size); at < (index + 1) * size; at += 1) most = Math.max(most, Math.abs(samples[at]));
    return most;
  });
  const most = Math.max(...peaks) || 1;
  return peaks.map((peak) => peak / most);
}
