// A gem's state through time, exact from its log, with every measurement marked and told on hover.

import { h, replace } from "../../dom.js";
import { angle, number, toSeconds, words } from "../../format.js";
import { loading, panel, select } from "../../parts.js";

const DAY_MS = 86_400_000;
const RANGES = [["all", "Since its birth"], ["365", "A year"], ["90", "90 days"], ["30", "30 days"]];
const SHORTEST_DAYS = 20; // of future
const TURN = [0, 1, 2, 3, 4].map((quarter) => (quarter * Math.PI) / 2);
export const CAUSES = {
  ingest: "muted",
  recall: "order",
  reflection: "accent",
  feedback: "good",
  entanglement: "phase",
  manual: "energy",
  restore: "warn",
};

export function curves(at, params, app) {
  const host = h("div.gem-curves");
  const range = RANGES.some(([key]) => key === params.days) ? params.days : "all";
  const choice = select(RANGES, range, (value) => {
    app.remember({ days: value === "all" ? null : value });
    load(value);
  }, { "aria-label": "How far back" });
  const note = "Rings are measurements: point at one, or use the arrow keys, to read its cause. Dashed is the future if nobody uses it.";
  const element = panel("State through time", { actions: [choice], note }, host);

  async function load(back = range) {
    const now = Date.now();
    const past = back === "all" ? null : now - back * DAY_MS;
    const ahead = Math.max(SHORTEST_DAYS * DAY_MS, (now - (past ?? now - 365 * DAY_MS)) / 3);
    const query = { since: past && new Date(past).toISOString(), until: new Date(now + ahead).toISOString(), points: 400 };
    replace(host);
    await loading(host, () => app.api.get(`${at}/history`, query), (found) => draw(found), { lines: 9 });
  }

  function draw({ now, points, measurements }) {
    const x = points.map((each) => toSeconds(each.at));
    const of = (name) => points.map((each) => each[name]);
    const shared = { x, now: toSeconds(now) };
    const main = h("div");
    const side = h("div.side-curves");
    replace(host, main, side);
    app.charts.line(main, {
      ...shared,
      label: "Coherence and uncertainty of the gem through time",
      range: [0, 1],
      height: 260,
      threshold: { y: 0.1, label: "0.1" },
      markers: measurements.map(mark),
      series: [
        { label: "Coherence", values: of("coherence"), colour: "coherence", fill: true, width: 2 },
        { label: "Uncertainty", values: of("uncertainty"), colour: "uncertainty" },
      ],
    });
    app.charts.line(side, {
      ...shared,
      label: "Energy of the gem through time, in τ",
      height: 120,
      series: [{ label: "Energy (τ)", values: of("energy"), colour: "energy", fill: true }],
    });
    app.charts.line(side, {
      ...shared,
      label: "Phase of the gem through time",
      height: 120,
      range: [0, 2 * Math.PI],
      ticks: TURN,
      format: angle,
      series: [{ label: "Phase", values: broken(of("phase")), colour: "phase", wraps: true }],
    });
  }
  return { element, load };
}

function mark({ at, cause, gain, before, after }) {
  const lines = cause === "ingest" ? [] : [
    `gain ${number(gain, 3)}`,
    `coherence ${number(before.coherence, 3)} → ${number(after.coherence, 3)}`,
    `uncertainty ${number(before.uncertainty, 3)} → ${number(after.uncertainty, 3)}`,
    `energy ${number(before.energy, 3)} → ${number(after.energy, 3)}`,
  ];
  const title = cause === "ingest" ? "Birth" : words(cause);
  return { x: toSeconds(at), y: after.coherence, colour: CAUSES[cause] || "accent", title, lines };
}

/** A phase turns from 2π to 0: no line is drawn there. */
function broken(phases) {
  return phases.map((phase, i) => (i > 0 && Math.abs(phase - phases[i - 1]) > Math.PI ? null : phase));
}
