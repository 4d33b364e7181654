// Small charts in SVG and CSS: histogram, spark line, bars. They take the theme's colours by themselves.

import { h, replace, s } from "../dom.js";
import { counted, number, whole } from "../format.js";
import { figure } from "./figure.js";

const WIDTH = 400; // of the drawing's own units; it is stretched to its place

export function histogram(options) {
  let now = options;
  const height = options.height || 180;
  const frame = figure("histogram", options.label, () => ({
    columns: ["From", "To", ...now.series.map((each) => each.label)],
    rows: now.edges.slice(1).map((to, i) => [say(now.edges[i]), say(to), ...now.series.map((each) => whole(each.counts[i]))]),
  }));
  const say = (x) => (now.format || ((value) => number(value, 2)))(x);
  const drawing = s("svg", { viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const scale = h("div.histogram-scale", { "aria-hidden": "true" });
  const legend = h("div.legend", { "aria-hidden": "true" });
  frame.plot.classList.add("histogram-plot");
  frame.plot.style.height = `${height}px`;
  frame.plot.setAttribute("role", "img");
  frame.plot.append(drawing);
  frame.element.insertBefore(legend, frame.plot);
  frame.plot.after(scale);

  function draw() {
    const { edges, series } = now;
    const highest = Math.max(...series.flatMap((each) => each.counts));
    const most = Math.max(1, highest);
    const slot = WIDTH / (edges.length - 1);
    const wide = (slot - 2) / series.length;
    const columns = series.flatMap((each, k) => each.counts.map((n, i) => {
      const tall = n === 0 ? 0 : Math.max(2, (n / most) * (height - 18));
      const place = { x: i * slot + 1 + k * wide, y: height - tall, width: wide, height: tall, rx: 1.5 };
      return s("rect", { ...place, style: { fill: `var(--c-${each.colour})` } },
        s("title", {}, `${each.label} ${say(edges[i])} to ${say(edges[i + 1])}: ${counted(n, now.unit)}`));
    }));
    replace(drawing, columns);
    replace(scale, [0, 0.25, 0.5, 0.75, 1].map((share) => h("span", {}, say(edges[Math.round(share * (edges.length - 1))]))));
    replace(legend, series.map((each) => h("span", {}, h("span.swatch", { style: { background: `var(--c-${each.colour})` } }), each.label)),
      h("span.muted", {}, `highest column ${counted(highest, now.unit)}`));
    frame.plot.setAttribute("aria-label", now.label);
    frame.tell({ edges, series: series.map(({ label, counts }) => ({ label, counts })) });
  }
  draw();
  return { element: frame.element, update: (next) => { now = { ...now, ...next }; draw(); } };
}

export function spark(options) {
  let now = options;
  const height = options.height || 36;
  const frame = figure("spark", options.label, () => ({ columns: ["#", "Value"], rows: now.values.map((y, i) => [i + 1, number(y, 3)]) }));
  const drawing = s("svg", { viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  frame.element.classList.add("spark");
  frame.plot.style.height = `${height}px`;
  frame.plot.setAttribute("role", "img");
  frame.plot.append(drawing);
  frame.element.querySelector(".chart-table").remove(); // the number stands beside it

  function draw() {
    const { values } = now;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const at = (y, i) => [(i * WIDTH) / Math.max(1, values.length - 1), height - 3 - ((y - low) / (high - low || 1)) * (height - 6)];
    const path = values.map((y, i) => `${i ? "L" : "M"}${at(y, i).map((x) => x.toFixed(1)).join(" ")}`).join("");
    const stroke = `var(--c-${now.colour || "accent"})`;
    replace(drawing, s("path", { d: path, fill: "none", "vector-effect": "non-scaling-stroke", style: { stroke, "stroke-width": "1.5" } }));
    frame.plot.setAttribute("aria-label", `${now.label}: ${values.length ? `${number(values.at(-1), 2)} last` : "nothing yet"}`);
    frame.tell({ values });
  }
  draw();
  return { element: frame.element, update: (next) => { now = { ...now, ...next }; draw(); } };
}

export function bars(options) {
  let now = options;
  const frame = figure("bars", options.label, () => ({ columns: ["", "Value"], rows: now.items.map((each) => [each.label, each.text]) }));
  frame.element.querySelector(".chart-table").remove(); // its rows are readable as they are
  const list = h("dl.bars");
  frame.plot.append(list);

  function draw() {
    const high = now.high || Math.max(1e-12, ...now.items.map((each) => each.value || 0));
    replace(list, now.items.map((each) => {
      const share = Math.max(0, Math.min(1, (each.value || 0) / high));
      const bar = h("span", { style: { width: `${share * 100}%`, background: `var(--c-${each.colour || "accent"})` } });
      return h("div", {}, h("dt", {}, each.label), h("dd", {}, h("span.meter-bar", { "aria-hidden": "true" }, bar), h("span.number", {}, each.text)));
    }));
    frame.tell({ items: now.items.map(({ label, value }) => ({ label, value })) });
  }
  draw();
  return { element: frame.element, update: (next) => { now = { ...now, ...next }; draw(); } };
}
