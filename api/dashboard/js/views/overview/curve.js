// The lattice through time, from the log: exact for the past, and for the future if nobody uses anything.

import { h } from "../../dom.js";
import { toSeconds } from "../../format.js";
import { loading, panel, select } from "../../parts.js";

const DAY_MS = 86_400_000;
const RANGES = [["30", "30 days"], ["90", "90 days"], ["365", "A year"], ["1095", "Three years"]];

export function curvePanel(params, app) {
  const host = h("div.curve");
  const isChosen = RANGES.some(([key]) => key === params.days);
  const days = isChosen ? params.days : "365";
  const choice = select(RANGES, days, (value) => {
    app.remember({ days: value });
    load(value);
  }, { "aria-label": "How far back" });
  const note = "Means over the gems that were there. The future is what comes if nobody uses any of them.";
  const element = panel("Coherence through time", { size: "two-thirds", actions: [choice], note }, host);
  let chart = null;

  async function load(back = null) {
    const now = Date.now();
    const read = async (span) => (await app.api.get("/lattice/history", {
      since: new Date(now - span * DAY_MS).toISOString(),
      until: new Date(now + (span * DAY_MS) / 3).toISOString(),
      points: 400,
    })).points;
    const work = async () => {
      const points = await read(back ?? days);
      const fitting = back === null && !isChosen ? fit(points, now) : null;
      if (fitting === null || Number(fitting) >= Number(days)) return points;
      choice.value = fitting;
      return read(fitting);
    };
    await loading(host, work, (points) => draw(points, now / 1000), { lines: 7 });
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
    if (chart?.element.isConnected) {
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

/** The shortest range with the whole past in it: that of a young lattice is not lost in an empty year. */
function fit(points, now) {
  const first = points.find((each) => each.coherence !== null);
  const age = first ? (now - new Date(first.at)) / DAY_MS : Infinity;
  return RANGES.find(([days]) => Number(days) >= age)?.[0] ?? RANGES.at(-1)[0];
}
