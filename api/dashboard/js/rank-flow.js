// How a ranking comes about: each passage is a line from its rank in one list to its rank in the next.

import { figure } from "./charts/figure.js";
import { h, s } from "./dom.js";
import { number, short } from "./format.js";

const ROW = 38; // px: of one rank; the passages beside the lines stand in the same rows
const COLUMN = 92;
const EDGE = 58;

/**
 * Show the first passages of the last list, and where they come from.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {{name: string, title: string}[]} options.columns lists, in the order in which they are made
 * @param {{id: string, text: string, ranks: object, score: number}[]} options.rows in their final order
 * @param {(id: string|null) => void} options.onLight a passage is pointed at
 * @param {(id: string) => void} options.onPick a passage is chosen
 * @returns {{element: Element, light: (id: string|null) => void}}
 */
export function rankFlow({ label, columns, rows, onLight, onPick }) {
  const frame = figure("ranks", label, () => ({
    columns: ["Passage", ...columns.map((each) => each.title)],
    rows: rows.map((row) => [short(row.text, 60), ...columns.map((each) => row.ranks[each.name] ?? "–")]),
  }));
  const lowest = rows.length + 1; // the lane of all that stands below, if there is any
  const fallen = rows.some((row) => columns.some((each) => row.ranks[each.name] >= lowest));
  const width = EDGE * 2 + COLUMN * (columns.length - 1);
  const height = ROW * (fallen ? lowest + 1 : lowest + 0.5);
  const x = (i) => EDGE + i * COLUMN;
  const y = (rank) => ROW * (Math.min(rank ?? lowest, lowest) + 0.5);
  const lines = new Map(rows.map((row) => [row.id, lineOf(row, columns, x, y, lowest)]));
  const heads = columns.map((each, i) => s("text", { x: x(i), y: 18, class: "flow-head" }, each.title));
  const floor = fallen ? [s("text", { x: 4, y: y(lowest) + 4, class: "flow-floor" }, "below")] : [];
  const shape = { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" };
  const drawing = s("svg.flow-lines", shape, heads, ...floor, [...lines.values()]);
  const list = h(
    "ol.flow-rows",
    {},
    rows.map((row, i) => rowOf(row, i, onLight, onPick)),
  );
  const scroll = h(
    "div.flow-scroll",
    { tabindex: "0", role: "img", "aria-label": `${label}. The table has the ranks.` },
    drawing,
  );
  frame.plot.append(h("div.flow", {}, scroll, list));
  frame.tell({ columns: columns.map((each) => each.name), rows: rows.map(({ id, ranks, score }) => ({ id, ranks, score })) });
  list.addEventListener("pointerleave", () => onLight(null));
  return {
    element: frame.element,
    light(id) {
      drawing.classList.toggle("lit", id !== null);
      for (const [each, line] of lines) line.classList.toggle("on", each === id);
      for (const row of list.children) row.classList.toggle("on", row.dataset.passage === id);
      if (id !== null && lines.has(id)) drawing.append(lines.get(id)); // above the others
    },
  };
}

function lineOf(row, columns, x, y, lowest) {
  const points = columns.map((each, i) => ({ x: x(i), rank: row.ranks[each.name] ?? null })).filter((each) => each.rank !== null);
  const path = points.map((each, i) => {
    if (i === 0) return `M${each.x} ${y(each.rank)}`;
    const before = points[i - 1];
    const middle = (before.x + each.x) / 2;
    return `C${middle} ${y(before.rank)} ${middle} ${y(each.rank)} ${each.x} ${y(each.rank)}`;
  });
  const dots = points.filter((each) => each.rank < lowest).map((each) => s("circle", { cx: each.x, cy: y(each.rank), r: 9 }));
  const numbers = points
    .filter((each) => each.rank < lowest)
    .map((each) => s("text", { x: each.x, y: y(each.rank) + 4, class: "flow-rank" }, each.rank));
  return s("g", { dataset: { passage: row.id } }, s("path", { d: path.join("") }), dots, numbers);
}

function rowOf(row, i, onLight, onPick) {
  const light = () => onLight(row.id);
  const open = h("button.quiet", { type: "button", on: { click: () => onPick(row.id), focus: light } }, short(row.text, 96));
  return h(
    "li",
    { dataset: { passage: row.id }, on: { pointerenter: light } },
    h("span.rank", {}, String(i + 1)),
    open,
    h("span.number", {}, number(row.score, 2)),
  );
}

/** Say how many places a passage moved: { text, kind }. */
export function moved(from, to) {
  if (from === undefined || to === undefined) return { text: "new", kind: "accent" };
  if (from === to) return { text: "same", kind: "" };
  return from > to ? { text: `up ${from - to}`, kind: "good" } : { text: `down ${to - from}`, kind: "warn" };
}
