// States as points z = c·e^(iφ) in the unit disc: the farther out the firmer, the nearer in angle the more together.

import { h, replace, s } from "../dom.js";
import { angle, number } from "../format.js";
import { figure } from "./figure.js";

export function disc(options) {
  let now = options;
  const frame = figure("disc", options.label, () => ({
    columns: ["Gem", "Phase", "Coherence"],
    rows: now.points.map((each) => [each.name, angle(each.phase), number(each.coherence, 3)]),
  }));
  const drawing = s("svg", { viewBox: "-1.18 -1.18 2.36 2.36", role: "group", "aria-label": options.label });
  frame.plot.classList.add("disc-plot");
  frame.plot.style.height = `${options.height || 260}px`;
  frame.plot.append(drawing);
  const scale = h("p.disc-scale", { "aria-hidden": "true" });
  frame.plot.after(scale);

  function draw() {
    const { points } = now;
    const total = points.reduce((sum, each) => sum + each.coherence, 0) || 1;
    const re = points.reduce((sum, each) => sum + each.coherence * Math.cos(each.phase), 0) / total;
    const im = points.reduce((sum, each) => sum + each.coherence * Math.sin(each.phase), 0) / total;
    const rings = [0.25, 0.5, 0.75, 1].map((r) => s("circle.ring", { r, cx: 0, cy: 0 }));
    const spokes = [0, 1, 2, 3].map((k) => s("line.ring", {
      x1: Math.cos((k * Math.PI) / 4), y1: Math.sin((k * Math.PI) / 4), x2: -Math.cos((k * Math.PI) / 4), y2: -Math.sin((k * Math.PI) / 4),
    }));
    const arrow = s("line.order", { x1: 0, y1: 0, x2: re, y2: -im });
    replace(drawing, rings, spokes, points.map(dot), arrow, s("circle.order-end", { cx: re, cy: -im, r: 0.035 }));
    scale.textContent = `centre: incoherent; edge: coherent; the arrow is their sum, ${number(Math.hypot(re, im), 2)} long`;
    frame.tell({ points: points.map(({ name, phase, coherence }) => ({ name, phase, coherence })), order: Math.hypot(re, im) });
  }
  draw();
  return { element: frame.element, update: (next) => { now = { ...now, ...next }; draw(); } };
}

function dot({ name, phase, coherence, href }) {
  const [x, y] = [coherence * Math.cos(phase), -coherence * Math.sin(phase)];
  const said = `${name}: coherence ${number(coherence, 2)}, phase ${angle(phase)}`;
  const circle = s("circle.dot", { cx: x, cy: y, r: 0.045 }, s("title", {}, said));
  return href ? s("a", { href, "aria-label": said }, circle) : circle;
}
