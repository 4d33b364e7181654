// A square of signed values on a canvas: against is warm, with is cool, nothing is the ground.

import { h, replace } from "../dom.js";
import { number, short, signed } from "../format.js";
import { colour, figure, tip } from "./figure.js";

const EDGE = 22; // CSS pixels at the left and above, for the numbers of rows and columns
const APART = 16; // of these numbers, at the least

export function heatmap(options) {
  let now = options;
  let cell = 0; // its side in CSS pixels
  let picked = [0, 0];
  const frame = figure("heatmap", options.label, () => toTable(now));
  const { plot } = frame;
  const canvas = h("canvas", { "aria-hidden": "true" });
  plot.classList.add("heatmap-plot");
  plot.style.height = `${options.height || 320}px`;
  plot.tabIndex = 0;
  plot.setAttribute("role", "img");
  plot.append(canvas);
  const said = h("p.unseen", { "aria-live": "polite" });
  const scale = h("div.heatmap-scale", { "aria-hidden": "true" });
  plot.after(scale, said);
  const label = tip(plot);
  const observer = new ResizeObserver(() => draw());

  function draw() {
    const { matrix } = now;
    const n = matrix.length;
    const most = matrix.flat().reduce((so, value) => Math.max(so, Math.abs(value)), 0); // what has the full colour
    replace(scale, h("span", {}, `against ${signed(-most, 2)}`), h("span.ramp"), h("span", {}, `${signed(most, 2)} with`));
    plot.setAttribute("aria-label", `${now.label}: ${n} by ${n}. The arrow keys read the values.`);
    frame.tell({ names: now.names, matrix });
    const side = Math.min(plot.clientWidth, plot.clientHeight);
    if (!n || side <= EDGE) return;
    cell = (side - EDGE) / n;
    const pixels = Math.round(side * devicePixelRatio);
    Object.assign(canvas, { width: pixels, height: pixels });
    canvas.style.width = canvas.style.height = `${side}px`;
    const ctx = canvas.getContext("2d");
    ctx.scale(devicePixelRatio, devicePixelRatio);
    paint(ctx, matrix, most);
    enumerate(ctx, n);
  }

  function paint(ctx, matrix, most) {
    const tone = [colour("against"), colour("with")];
    const gap = cell > 8 ? 1 : 0;
    ctx.fillStyle = colour("soft");
    ctx.fillRect(EDGE, EDGE, cell * matrix.length, cell * matrix.length);
    for (const [i, row] of matrix.entries()) {
      for (const [j, value] of row.entries()) {
        ctx.globalAlpha = most && Math.abs(value) / most;
        ctx.fillStyle = tone[value < 0 ? 0 : 1];
        ctx.fillRect(EDGE + j * cell, EDGE + i * cell, cell - gap, cell - gap);
      }
    }
    ctx.globalAlpha = 1;
  }

  function enumerate(ctx, n) {
    Object.assign(ctx, { fillStyle: colour("muted"), font: "11px system-ui, sans-serif", textBaseline: "middle" });
    const every = Math.ceil(APART / cell);
    for (let i = 0; i < n; i += every) {
      const middle = EDGE + (i + 0.5) * cell;
      ctx.textAlign = "right";
      ctx.fillText(String(i + 1), EDGE - 6, middle);
      ctx.textAlign = "center";
      ctx.fillText(String(i + 1), middle, EDGE - 9);
    }
  }

  function point(i, j, left, top) {
    const { names, matrix, format = (value) => number(value, 3) } = now;
    if (i < 0 || j < 0 || i >= matrix.length || j >= matrix.length) return label.hide();
    picked = [i, j];
    const named = (k, length) => `${k + 1}. ${short(names[k], length)}`;
    const value = format(matrix[i][j]);
    label.show(left, top, h("p", {}, h("b", {}, value)), h("p", {}, named(i, 70)), i === j ? null : h("p", {}, named(j, 70)));
    return `${named(i, 40)} with ${named(j, 40)}: ${value}`;
  }

  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientY - box.top, event.clientX - box.left].map((at) => Math.floor((at - EDGE) / cell));
  };
  canvas.addEventListener("pointermove", (event) => point(...under(event), event.offsetX + canvas.offsetLeft, event.offsetY));
  canvas.addEventListener("pointerleave", () => label.hide());
  canvas.addEventListener("click", () => now.onPick?.(...picked));
  plot.addEventListener("blur", () => label.hide());
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (event.key === "Enter") now.onPick?.(...picked);
    if (!step || !now.matrix.length) return;
    event.preventDefault();
    const most = now.matrix.length - 1;
    const [i, j] = picked.map((each, k) => Math.max(0, Math.min(most, each + step[k])));
    said.textContent = point(i, j, EDGE + (j + 0.5) * cell + canvas.offsetLeft, EDGE + (i + 0.5) * cell);
  });
  return {
    element: frame.element,
    start() {
      observer.observe(plot);
      draw();
    },
    update(next) {
      now = { ...now, ...next };
      draw();
    },
    redraw: draw,
    destroy: () => observer.disconnect(),
  };
}

function toTable({ names, matrix, format = (value) => number(value, 2) }) {
  const columns = ["", ...names.map((_, j) => String(j + 1))];
  return { columns, rows: matrix.map((row, i) => [`${i + 1}. ${short(names[i], 50)}`, ...row.map((value) => format(value))]) };
}
