// A product taken apart: each factor's share of the logarithm, falling from 1 to the score.

import { h, replace } from "../dom.js";
import { number, signed } from "../format.js";
import { figure } from "./figure.js";

export function waterfall(options) {
  let now = options;
  const frame = figure("waterfall", options.label, () => ({
    columns: ["Term", "Value", "Log share", ""],
    rows: now.steps.map((each) => [each.name, number(each.value, 3), shareText(each), [each.note, each.limiting ? "limits" : ""].filter(Boolean).join("; ")]),
  }));
  const list = h("ol.waterfall");
  frame.plot.append(list);

  function draw() {
    const { steps, total } = now;
    const marks = [0];
    for (const each of steps) marks.push(marks.at(-1) + (each.share ?? 0));
    const low = Math.min(...marks);
    const span = Math.max(...marks) - low || 1;
    const place = (y) => ((y - low) / span) * 100;
    const rows = steps.map((each, i) => {
      const [from, to] = [place(marks[i]), place(marks[i + 1])];
      const kind = each.share === null ? "none" : each.share < 0 ? "falls" : "rises";
      const style = { left: `${Math.min(from, to)}%`, width: `max(2px, ${Math.abs(to - from)}%)` };
      return h("li", { class: each.limiting ? "limiting" : "" },
        h("span.term", {}, h("b", {}, each.name), each.note ? h("small", {}, each.note) : null),
        h("span.track", { "aria-hidden": "true" }, h(`span.${kind}`, { style: each.share === null ? { left: "0", width: "100%" } : style })),
        h("span.number", {}, number(each.value, 3)),
        h("span.number.share", {}, shareText(each)),
        each.limiting ? h("span.chip.warn", {}, "limits") : h("span"));
    });
    const last = h("li.total", {}, h("span.term", {}, h("b", {}, "Score"), h("small", {}, "their product")),
      h("span.track"), h("span.number", {}, number(total, 3)), h("span.number.share", {}, total > 0 ? signed(Math.log(total), 2) : "−∞"), h("span"));
    replace(list, heads(), rows, last);
    frame.tell({ steps: steps.map(({ name, value, share, limiting }) => ({ name, value, share, limiting: Boolean(limiting) })), total });
  }
  draw();
  return { element: frame.element, update: (next) => { now = { ...now, ...next }; draw(); } };
}

/** What the columns are; the table says it to those who do not see them. */
function heads() {
  const share = h("span.number", { title: "Of the logarithm of the score, to which shares add up" }, "Log share");
  return h("li.heads", { "aria-hidden": "true" }, h("span.term", {}, "Term"), h("span.track"), h("span.number", {}, "Value"), share, h("span"));
}

const shareText = ({ share }) => (share === null ? "−∞" : signed(share, 2));
