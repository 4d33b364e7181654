// The lattice through time, from the log: exact for the past, and for the future if nobody uses anything.

import { h } from "../../dom.js";
import { toSeconds } from "../../format.js";
import { loading, panel, select } from "../../parts.js";

const DAY_MS = 86_400_000;
const RANGES = [["30", "30 days"], ["90", "90 days"], ["365", "A year"], ["1095", "Three years"]];

export function curvePanel(params, app) {
  const host = h("div.curve");
  const days = RANGES.some(([key]) => key === params.days) ? params.days : "365";
  const choice = select(RANGES, days, (value) => {
    app.remember({ days: value === "365" ? null : value });
    load(value);
  }, { "aria-label": "How far back" });
  const note = "Means over the gems that were there. The future is what comes if nobody uses any of them.";
  const element = panel("Coherence through time", { size: "two-thirds", actions: [choice], note }, host);
  let chart = null;

  async function load(back = days) {
    const now = Date.now();
    const query = {
      since: new Date(now - back * DAY_MS).toISOString(),
      until: new Date(now + (back * DAY_MS) / 3).toISOString(),
      points: 400,
    };
    await loading(host, () => app.api.get("/lattice/history", query), ({ points }) => draw(points, now / 1000), { lines: 7 });
  }

  function draw(points, now) {
    const of = (name) => points.map((each) => each[name] ?? null);
    const data = {
      x: points.map((each) => toSeconds(each.at)),
      now,
      series: [
        { label: "Coherence", values: of("coherence"), colour: "coherence", fill: true, width: 2 },
        { label: "Order parameter", values: of("order_parameter"), colour: "order" },
        { label: "Uncertainty", values: of("uncertainty"), colour: "uncertainty" },
      ],
    };
    if (chart) {
      chart.update(data);
      return;
    }
    host.replaceChildren();
    const label = "Mean coherence, order parameter and mean uncertainty of the lattice through time";
    const empty = "No gem has a past yet: create one and ingest something.";
    chart = app.charts.line(host, { label, range: [0, 1], height: 250, empty, ...data });
  }
  return { element, load };
}
