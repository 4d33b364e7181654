// Charts. Each is charts.NAME(host, options) → { element, update(options) }: a <figure data-chart="NAME"> appended to
// the host, with `lattice = { kind, data }` for tests, a height that never changes, and its data as a table.
//
//   line(host, { label, x, series, markers, now, threshold, range, ticks, height, format, legend, empty })
//     x: seconds since 1970, rising. series: [{ label, values (null = gap), colour, dash, width, fill, hidden,
//       wraps: its gaps are jumps and not lacks }].
//     markers: [{ x, y, colour, title, lines: [text…] }] drawn as rings, told on hover and by the arrow keys.
//     now: seconds; what follows is drawn as future. threshold: { y, label }. range: [low, high] of y, and
//     ticks: where y is named, else as found.
//   histogram(host, { label, unit: "gem", edges, series: [{ label, counts, colour }], height, format })   unit: what is counted
//   heatmap(host, { label, names: [text…], matrix, height, format, onPick(row, column) })
//   waterfall(host, { label, steps: [{ name, value, share (null: the term is 0), note, limiting }], total, height })
//   spark(host, { label, values, colour, height })
//   bars(host, { label, items: [{ label, value, text, colour }], high })
//   disc(host, { label, points: [{ name, phase, coherence, href }], height })   states as arrows c·e^(iφ), and their sum
//
// `colour` is a name of base.css: coherence, uncertainty, energy, phase, order, good, warn, bad, muted, accent.

import { disc } from "./charts/disc.js";
import { heatmap } from "./charts/heatmap.js";
import { line } from "./charts/line.js";
import { bars, histogram, spark } from "./charts/shapes.js";
import { waterfall } from "./charts/waterfall.js";

const KINDS = { line, histogram, heatmap, waterfall, spark, bars, disc };

/** Return the charts of a view; they end with its signal. */
export function bindCharts(signal) {
  const bind = (kind) => (host, options) => {
    const chart = KINDS[kind](options);
    host.append(chart.element);
    chart.start?.(); // what needs its place on the page
    const redraw = () => chart.redraw?.();
    addEventListener("lattice:theme", redraw);
    signal.addEventListener(
      "abort",
      () => {
        removeEventListener("lattice:theme", redraw);
        chart.destroy?.();
      },
      { once: true },
    );
    return { element: chart.element, update: chart.update };
  };
  return Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, bind(kind)]));
}
