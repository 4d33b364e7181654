// Curves through time, on uPlot: past and future, markers with their stories, a threshold; read by pointer or keys.

import { h, renew } from "../dom.js";
import { dayTime, number } from "../format.js";
import { axes } from "./axes.js";
import { colour, figure, thin, tip } from "./figure.js";
import { paintFuture, paintMarkers, paintThreshold } from "./marks.js";

const NEAR_PX = 9;

export function line(options) {
  let chart = null;
  let now = options;
  const hidden = new Set(options.series.filter((each) => each.hidden).map((each) => each.label));
  const frame = figure("line", options.label, () => toTable(now));
  const { element, plot } = frame;
  const legend = h("div.legend", { role: "group", "aria-label": "Curves" });
  const said = h("p.unseen", { "aria-live": "polite" });
  const none = h("p.chart-none", { hidden: true }, options.empty || "Nothing to draw yet.");
  plot.classList.add("line-plot");
  plot.style.height = `${options.height || 220}px`;
  plot.tabIndex = 0;
  plot.setAttribute("role", "img");
  plot.append(none);
  if (options.legend !== false) element.insertBefore(legend, plot);
  element.append(said);
  const label = tip(plot);
  const observer = new ResizeObserver(() => resize());

  function draw() {
    chart?.destroy();
    chart = null;
    none.hidden = now.x.length > 1 && now.series.some((each) => each.values.some((y) => y !== null));
    plot.setAttribute("aria-label", `${now.label}. ${summary(now)} The arrow keys read the values.`);
    frame.tell({ x: now.x, series: now.series.map(({ label: name, values }) => ({ label: name, values })),
      markers: now.markers || [], now: now.now ?? null, threshold: now.threshold ?? null });
    drawLegend();
    if (!none.hidden || !plot.clientWidth) return;
    chart = new globalThis.uPlot(toPlot(now, plot, hidden, point), toData(now), plot);
  }

  function drawLegend() {
    renew(legend, now.series.map((each) => {
      const swatch = h("span.swatch", { style: { background: `var(--c-${each.colour})` } });
      const turn = () => {
        if (hidden.has(each.label)) hidden.delete(each.label);
        else hidden.add(each.label);
        draw();
      };
      const pressed = String(!hidden.has(each.label));
      return h("button.quiet", { type: "button", "aria-pressed": pressed, on: { click: turn } }, swatch, each.label);
    }));
  }

  function point(plotted) {
    const { idx, left, top } = plotted.cursor;
    if (idx === null || idx === undefined || left < 0) return label.hide();
    const marker = nearMarker(plotted, now.markers, left);
    const nodes = marker ? story(marker) : values(now, idx, hidden);
    label.show(left + plotted.over.offsetLeft, top - 10, ...nodes);
    return undefined;
  }

  function resize() {
    if (!plot.clientWidth) return;
    if (chart === null) draw();
    else if (chart.width !== plot.clientWidth) chart.setSize({ width: plot.clientWidth, height: plot.clientHeight });
  }

  plot.addEventListener("keydown", (event) => readByKeys(event, chart, now, hidden, said));
  plot.addEventListener("blur", () => chart?.setCursor({ left: -10, top: -10 }));
  return {
    element,
    start() {
      observer.observe(plot);
      draw();
    },
    update(next) {
      now = { ...now, ...next };
      draw();
    },
    redraw: draw,
    destroy() {
      observer.disconnect();
      chart?.destroy();
    },
  };
}

/** What uPlot draws: each series twice where there is a future, which is dashed. */
function toData({ x, series, now }) {
  if (now === undefined || now === null) return [x, ...series.map((each) => each.values)];
  const past = (values) => values.map((y, i) => (x[i] <= now ? y : null));
  const future = (values) => values.map((y, i) => (x[i] >= now || x[i + 1] > now ? y : null));
  return [x, ...series.flatMap(({ values }) => [past(values), future(values)])];
}

function toPlot(options, plot, hidden, point) {
  const { series, range, ticks, now, markers = [], threshold, format = (y) => number(y, 2) } = options;
  const lines = series.flatMap((each) => {
    const stroke = colour(each.colour);
    const shape = { label: each.label, stroke, width: each.width || 1.75, show: !hidden.has(each.label),
      points: { show: false }, spanGaps: false, paths: each.wraps ? pieces : undefined };
    const solid = { ...shape, dash: each.dash, fill: each.fill ? colour(each.colour, 0.12) : undefined };
    return now === undefined || now === null ? [solid] : [solid, { ...shape, dash: [4, 4] }];
  });
  const y = range ? { range: () => range } : { range: (_, low, high) => padded(low, high) };
  return {
    width: plot.clientWidth,
    height: plot.clientHeight,
    padding: [14, 10, 0, 0], // above, now is named
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
    scales: { x: { time: true }, y },
    series: [{}, ...lines],
    axes: axes(format, plot.clientHeight, ticks && (() => ticks)),
    hooks: {
      setCursor: [point],
      drawClear: [(u) => paintFuture(u, now)],
      draw: [(u) => paintThreshold(u, threshold), (u) => paintMarkers(u, markers)],
    },
  };
}

/** The path of a curve that is drawn in pieces: uPlot only covers a gap, and leaves the edges of a steep line. */
function pieces(u, index, first, last) {
  const stroke = new Path2D();
  const [x, y] = [u.data[0], u.data[index]];
  for (let i = first; i <= last; i += 1) {
    if (y[i] === null) continue;
    const spot = [u.valToPos(x[i], "x", true), u.valToPos(y[i], "y", true)];
    if (i > first && y[i - 1] !== null) stroke.lineTo(...spot);
    else stroke.moveTo(...spot);
  }
  return { stroke, fill: null, clip: null, band: null, gaps: null, flags: 1 };
}

function padded(low, high) {
  if (low === null || high === null) return [0, 1];
  const isFlat = high - low < Math.abs(high) * 0.02; // less than the numbers at the axis could tell apart
  const room = isFlat ? Math.abs(high) * 0.1 || 1 : (high - low) * 0.08;
  return [low - room, high + room];
}

function nearMarker(plotted, markers = [], left) {
  let best = null;
  let nearest = NEAR_PX;
  for (const each of markers) {
    const away = Math.abs(plotted.valToPos(each.x, "x") - left);
    if (away < nearest) [best, nearest] = [each, away];
  }
  return best;
}

function values({ x, series, now, format = (y) => number(y, 3) }, index, hidden) {
  const tense = now !== undefined && now !== null && x[index] > now ? " (if left alone)" : "";
  const rows = series.filter((each) => !hidden.has(each.label)).map((each) => h("div", {},
    h("span.swatch", { style: { background: `var(--c-${each.colour})` } }), each.label, h("b", {}, format(each.values[index]))));
  return [h("p", {}, dayTime(x[index]) + tense), ...rows];
}

function story(marker) {
  return [h("p", {}, h("b", {}, marker.title)), h("p", {}, dayTime(marker.x)), ...(marker.lines || []).map((each) => h("p", {}, each))];
}

function readByKeys(event, chart, options, hidden, said) {
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
  if (step === undefined || chart === null) return;
  event.preventDefault();
  const last = options.x.length - 1;
  const from = chart.cursor.idx ?? (step > 0 ? -1 : last + 1);
  const stride = event.shiftKey ? 10 : 1;
  const index = Math.max(0, Math.min(last, from + step * stride));
  chart.setCursor({ left: chart.valToPos(options.x[index], "x"), top: 20 });
  const read = options.series.filter((each) => !hidden.has(each.label));
  said.textContent = `${dayTime(options.x[index])}: ${read.map((each) => `${each.label} ${number(each.values[index], 3)}`).join(", ")}`;
}

function summary({ x, series, markers = [] }) {
  if (x.length < 2 || series.every(({ values: all }) => all.every((y) => y === null))) return "There is nothing to draw yet.";
  const ends = series.map(({ label, values: all }) => {
    const known = all.filter((y) => y !== null);
    return `${label} from ${number(known[0], 2)} to ${number(known.at(-1), 2)}`;
  });
  const marked = markers.length ? `, ${markers.length} marked` : "";
  return `${dayTime(x[0])} to ${dayTime(x.at(-1))}: ${ends.join("; ")}${marked}.`;
}

function toTable({ x, series, markers = [], format = (y) => number(y, 3) }) {
  const rows = thin(x.map((at, i) => [dayTime(at), ...series.map(({ values: all }) => format(all[i])), ""]));
  const told = markers.map((each) => [dayTime(each.x), ...series.map(() => ""), [each.title, ...(each.lines || [])].join("; ")]);
  return { columns: ["Time", ...series.map((each) => each.label), markers.length ? "Event" : ""], rows: [...told, ...rows] };
}
