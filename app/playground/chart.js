// A forecast as a line with its interval; a table says the same to those who do not see it.

import { fill, h, s } from "./dom.js";

const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [280, 52, 40, 16, 32];
const A_DATE = 110; // Pixels beneath the chart.

/** `past` is the text of the table that was sent, where that is a CSV file; of one simple series it is drawn, too. */
export function drawChart(root, result, past = "") {
  const width = Math.min(Math.max(root.clientWidth - 40, 280), 900);
  const series = new Map();
  for (const one of result.predictions) {
    const name = one.series ?? "";
    if (!series.has(name)) series.set(name, []);
    series.get(name).push(one);
  }
  const longest = Math.max(...[...series.values()].map((points) => points.length));
  const known = series.size === 1 ? knownOf(past, result.predictions[0].date).slice(-Math.max(3 * longest, 12)) : [];
  const all = [...known.map((one) => one.value),
    ...result.predictions.flatMap((one) => [one.value, one.lower ?? one.value, one.upper ?? one.value])];
  const [ticks, low, high] = ticksOf(Math.min(...all), Math.max(...all));
  const steps = known.length + longest - 1;
  const x = (index) => LEFT + (steps < 1 ? 0.5 : (index + known.length) / steps) * (width - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (value - low) / (high - low || 1) * (HEIGHT - TOP - BOTTOM);
  const chart = s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "plot", role: "img", "aria-label": summary(result.predictions) });
  for (const tick of ticks) {
    chart.append(s("line", { x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick), class: "grid" }),
      s("text", { x: LEFT - 8, y: y(tick), class: "axis end" }, short(tick)));
  }
  const first = [...known, ...[...series.values()][0]];
  const every = Math.ceil(first.length * A_DATE / (width - LEFT - RIGHT));
  first.forEach((one, index) => {
    if (index % every === 0) chart.append(s("text", { x: x(index - known.length), y: HEIGHT - 8, class: "axis middle" }, day(one.date)));
  });
  if (known.length) {
    const points = [...known, result.predictions[0]].map((one, index) => `${x(index - known.length)} ${y(one.value)}`);
    chart.append(s("path", { d: `M${points.join("L")}`, class: "known" }));
  }
  [...series.values()].forEach((points, number) => {
    const group = s("g", { class: `series series-${number % 6}` });
    if (points.every((one) => one.lower !== undefined && one.upper !== undefined)) {
      const edge = [...points.map((one, index) => [x(index), y(one.upper)]),
        ...points.map((one, index) => [x(index), y(one.lower)]).reverse()];
      group.append(s("path", { d: `M${edge.map((point) => point.join(" ")).join("L")}Z`, class: "interval" }));
    }
    group.append(s("path", { d: `M${points.map((one, index) => `${x(index)} ${y(one.value)}`).join("L")}`, class: "line" }));
    points.forEach((one, index) => group.append(s("circle", {
      cx: x(index), cy: y(one.value), r: points.length > 60 ? 2 : 3.5,
      data: { date: one.date, value: one.value, lower: one.lower ?? "", upper: one.upper ?? "" },
    }, s("title", {}, `${one.date}: ${one.value}${one.lower === undefined ? "" : ` (${one.lower} to ${one.upper})`}`))));
    chart.append(group);
  });
  const names = [...series.keys()].filter(Boolean);
  const legend = names.length
    ? h("ul", { class: "legend" }, names.map((name, number) => h("li", { class: `series-${number % 6}` }, name))) : null;
  const notes = [result.notes].flat().filter(Boolean);
  const key = known.length ? h("p", { class: "hint" }, "What was sent is grey, what is predicted is blue.") : null;
  fill(root, h("h2", {}, "Forecast"), chart, legend, key,
    notes.length ? h("p", { class: "hint" }, notes.join(" ")) : null, table(result.predictions, names.length > 0));
}

function table(predictions, named) {
  const cells = (one) => [...(named ? [one.series] : []), one.date, one.value, one.lower ?? "", one.upper ?? ""];
  const heads = [...(named ? ["Series"] : []), "Date", "Value", "Lower", "Upper"];
  return h("details", {}, h("summary", {}, "As a table"),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Predictions" }, h("table", {},
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, predictions.map((one) => h("tr", {}, cells(one).map((cell) => h("td", {}, String(cell)))))))));
}

function summary(predictions) {
  const [first, last] = [predictions[0], predictions[predictions.length - 1]];
  return first ? `${predictions.length} predictions, from ${first.value} on ${day(first.date)} to ${last.value} on ${day(last.date)}` : "Nothing predicted";
}

/** The rows of a CSV file with a date and one number, up to the first prediction; nothing for any other table. */
function knownOf(text, end) {
  const [head, ...rows] = text.trim().split(/\r?\n/).map((line) => line.split(/[,;\t]/));
  if (!head || head.length !== 2) return [];
  const known = rows.map(([date, value]) => ({ date: date.trim(), value: Number(value) }));
  const isPlain = known.every(({ date, value }) => /^\d{4}-\d\d(-\d\d)?/.test(date) && Number.isFinite(value));
  return isPlain && known.every(({ date }) => date < end) ? known : [];
}

const day = (date) => String(date).replace(/ 00:00:00$/, "");

const short = (value) => new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 }).format(value);

function ticksOf(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
  const [start, end] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  const ticks = [];
  for (let tick = start; tick <= end + step / 2; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return [ticks, start, ticks[ticks.length - 1]];
}
