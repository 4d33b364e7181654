// What all charts share: the figure, its legend, its tip, its table, and colours as the theme has them.

import { h, replace } from "../dom.js";

/**
 * Return the figure of a chart.
 *
 * @param {string} kind
 * @param {string} label its name, which says what is seen
 * @param {() => {columns: string[], rows: any[][]}} toTable makes the table when it is opened
 */
export function figure(kind, label, toTable) {
  const plot = h("div.plot");
  const holder = h("div.chart-rows");
  const details = h("details.chart-table", {}, h("summary", {}, h("span", {}, "Table")), holder);
  const caption = h("figcaption.unseen", {}, label);
  const element = h("figure.chart", { dataset: { chart: kind } }, caption, plot, details);
  const fillTable = () => {
    if (details.open) replace(holder, tableOf(label, toTable()));
  };
  details.addEventListener("toggle", fillTable);
  return {
    element,
    plot,
    caption,
    /** Tell tests and the table of new data. */
    tell(data) {
      element.lattice = { kind, data };
      fillTable();
    },
  };
}

function tableOf(label, { columns, rows }) {
  const head = h("tr", {}, columns.map((each) => h("th", { scope: "col" }, each)));
  const body = rows.map((row) => h("tr", {}, row.map((cell, i) => h(i ? "td" : "th", i ? {} : { scope: "row" }, cell))));
  const table = h("table", {}, h("caption.unseen", {}, label), h("thead", {}, head), h("tbody", {}, body));
  return h("div.table", { role: "group", "aria-label": `${label}: table`, tabindex: "0" }, table);
}

/** A label that follows the pointer: { element, show(left, top, nodes), hide() }. */
export function tip(plot) {
  const element = h("div.tip", { hidden: true, "aria-hidden": "true" });
  plot.append(element);
  return {
    element,
    show(left, top, ...nodes) {
      replace(element, nodes);
      element.hidden = false;
      const room = plot.clientWidth - element.offsetWidth - 4;
      const beside = left + 14 > room ? left - element.offsetWidth - 14 : left + 14;
      element.style.left = `${Math.max(4, beside)}px`;
      element.style.top = `${Math.max(0, Math.min(top, plot.clientHeight - element.offsetHeight))}px`;
    },
    hide() {
      element.hidden = true;
    },
  };
}

/** Return the colour of a name of base.css as the theme has it now; canvases cannot read variables. */
export function colour(name, alpha = 1) {
  const probe = h("span", { style: { color: `var(--c-${name}, var(--${name}))`, display: "none" } });
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  if (alpha === 1) return found;
  const [r, g, b] = found.match(/[\d.]+/g);
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

/** At most `most` of the rows, evenly spread, so that a table of a long curve can be read. */
export function thin(rows, most = 60) {
  if (rows.length <= most) return rows;
  return Array.from({ length: most }, (_, i) => rows[Math.round((i * (rows.length - 1)) / (most - 1))]);
}
