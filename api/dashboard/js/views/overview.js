// How the lattice holds: the numbers of this moment, the past and the future of its coherence, and what needs a look.

import { h, replace } from "../dom.js";
import { compact, counted, day, duration, milliseconds, number, relative, short, usd, words } from "../format.js";
import { chip, empty, grounding, joined, linkButton, loading, meter, page, panel, stat, stats, table, timeTag } from "../parts.js";
import { curvePanel } from "./overview/curve.js";

export const title = "Overview";
const RISK = { below: 0.1, within_days: 30, limit: 8 };

export async function show(root, params, app) {
  const { body } = page(root, { title, lead: "How the lattice holds: now, before, and from here on if nobody uses it." });
  const curve = curvePanel(params, app);
  const spread = panel("Distribution", { size: "third", note: "How many gems hold how firmly, and how stale they are." });
  const risk = panel("Gems at risk", { size: "half", note: "Below a coherence of 0.1, or falling below it within 30 days." });
  const together = panel("Moving together", { size: "half", note: "Each gem by its phase and coherence." });
  const asked = panel("Recent reflections", { size: "two-thirds", actions: [h("a", { href: "#/reflect" }, "Ask")] });
  const alerts = panel("Alerts", { size: "third", actions: [h("a", { href: "#/alerts" }, "All")] });
  body.append(numbers(app), curve.element, spread, risk, together, asked, alerts);
  histogram(spread.body, app);
  await Promise.all([
    curve.load(),
    loading(risk.body, () => app.api.get("/lattice/risk", RISK), riskTable, { lines: 6 }),
    loading(together.body, () => readModes(app), (found, host) => drawModes(found, host, app), { lines: 6 }),
    loading(asked.body, () => app.api.get("/lattice/reflections", { limit: 8 }), reflections, { lines: 6 }),
    loading(alerts.body, () => app.api.get("/alerts", { state: "firing", limit: 6 }), alertList, { lines: 4 }),
  ]);
}

function numbers(app) {
  const shown = {
    gems: stat("Gems"),
    coherence: stat("Coherence", undefined, "mean"),
    order: stat("Order parameter", undefined, "moving together"),
    uncertainty: stat("Uncertainty", undefined, "mean"),
    risk: stat("Faded"),
    reflections: stat("Reflections"),
    ingestion: stat("Ingestion"),
    cost: stat("LLM cost", undefined, "in the last hour"),
  };
  app.live.subscribe(({ field, rates, latency, ingestion, llm }) => {
    shown.gems.set(compact(field?.gems), field ? "" : "the database does not answer");
    const mean = (name) => number(field?.gems ? field[name] : null, 3); // of no gems there is no mean
    shown.coherence.set(mean("coherence_mean"));
    shown.order.set(mean("order_parameter"));
    shown.uncertainty.set(mean("uncertainty_mean"));
    shown.risk.set(compact(field?.below), `below ${number(field?.threshold, 1)}`);
    const p95 = latency?.reflection_p95_ms;
    shown.reflections.set(`${compact(rates?.reflections_per_minute)}/min`, p95 ? `95 % within ${milliseconds(p95)}` : "none of late");
    const waits = ingestion?.waiting ? `${compact(ingestion.waiting)} waiting, ${duration(ingestion.lag_s)}` : "none waiting";
    shown.ingestion.set(ingestion ? counted(ingestion.running, "job") : undefined, waits);
    shown.cost.set(usd(llm?.cost_usd_last_hour));
  });
  app.live.subscribe(sayNowAndThen(app));
  return stats(...Object.values(shown).map((each) => each.element));
}

/** Tell screen readers the two numbers that matter, at most every half minute, and only if they moved. */
function sayNowAndThen(app) {
  let said = "";
  let last = -Infinity;
  return ({ field }) => {
    const text = field?.gems ? `Coherence ${number(field.coherence_mean, 2)}, order parameter ${number(field.order_parameter, 2)}` : "";
    if (!text || text === said || performance.now() - last < 30_000) return;
    [said, last] = [text, performance.now()];
    app.announce(text);
  };
}

function histogram(host, app) {
  const series = ({ coherence, uncertainty }) => [
    { label: "Coherence", counts: coherence, colour: "coherence" },
    { label: "Uncertainty", counts: uncertainty, colour: "uncertainty" },
  ];
  const none = Array.from({ length: 20 }, () => 0);
  const edges = Array.from({ length: 21 }, (_, i) => i / 20);
  const label = "Gems by coherence and by uncertainty";
  const chart = app.charts.histogram(host, { label, unit: "gem", edges, series: series({ coherence: none, uncertainty: none }), height: 208 });
  let drawn = "";
  app.live.subscribe(({ field }) => {
    if (!field || JSON.stringify(field.histogram) === drawn) return;
    drawn = JSON.stringify(field.histogram);
    chart.update({ edges: field.histogram.edges, series: series(field.histogram) });
  });
}

function riskTable({ gems }) {
  return table({
    caption: "Gems at risk",
    none: empty("No gem is at risk", "What is held now holds for another 30 days even if nobody uses it."),
    rows: gems,
    columns: [
      { label: "Gem", head: true, cell: (gem) => h("a", { href: `#/gems/${gem.gem_id}` }, gem.name) },
      { label: "Coherence", cell: (gem) => meter(gem.coherence, { colour: gem.coherence < RISK.below ? "bad" : "coherence" }) },
      { label: "Falls below 0.1", cell: (gem) => fall(gem.falls_at) },
    ],
  });
}

function fall(at) {
  if (!at) return "never";
  const isPast = new Date(at) < new Date();
  return h("span", { class: isPast ? "bad" : "" }, isPast ? "fell " : "", timeTag(at), " ", h("small.number", {}, day(at)));
}

async function readModes(app) {
  const [{ modes }, gems] = await Promise.all([
    app.api.get("/lattice/modes", { limit: 6 }),
    app.api.get("/gems", { limit: 200, archived: false }),
  ]);
  return { modes, gems: gems.items };
}

function drawModes({ modes, gems }, host, app) {
  if (gems.length === 0) return empty("There are no gems yet", "Ingest something, and its gem appears here.", linkButton("Ingest", "#/ingestion"));
  const picture = h("div");
  const list = table({
    caption: "Groups of gems that move together",
    rows: modes,
    none: empty("No groups", "Too few gems are coherent."),
    columns: [
      { label: "Gems", head: true, cell: (mode) => members(mode) },
      { label: "Coherence", cell: (mode) => number(mode.coherence, 2), align: "end" },
      { label: h("span", { title: "Order parameter: how far they move together, from 0 to 1" }, "Order"), cell: (mode) => number(mode.order_parameter, 2), align: "end" },
    ],
  });
  replace(host, h("div.modes", {}, picture, list));
  const points = gems.map((gem) => ({ name: gem.name, phase: gem.state.phase, coherence: gem.state.coherence, href: `#/gems/${gem.id}` }));
  app.charts.disc(picture, { label: "Gems in the disc of phase and coherence", points, height: 240 });
  return undefined;
}

function members({ gems, size }) {
  const links = gems.slice(0, 4).map((gem) => h("a", { href: `#/gems/${gem.gem_id}` }, gem.name));
  const others = size - links.length;
  return [joined(links), others > 0 ? h("small", {}, ` and ${counted(others, "other")}`) : null];
}

function reflections({ items, reflections: named }) {
  return table({
    caption: "Recent reflections",
    rows: items || named || [],
    none: empty("Nobody has asked yet", "Ask a gem a question, and the answer appears here.", linkButton("Ask", "#/reflect")),
    columns: [
      { label: "Question", head: true, cell: (each) => h("a", { href: `#/reflections/${each.id || each.reflection_id}` }, short(each.question, 90)), class: "prose" },
      { label: "Gem", cell: (each) => h("a", { href: `#/gems/${each.gem_id}` }, each.gem_name) },
      { label: "Evidence", cell: (each) => grounding(each.grounding) },
      { label: "Score", cell: (each) => number(each.score, 3), align: "end", class: "wide-only" },
      { label: "Asked", cell: (each) => timeTag(each.created_at), class: "tight wide-only" },
    ],
  });
}

function alertList({ items }) {
  if (items.length === 0) return empty("Nothing fires", "All rules are quiet.");
  return h("ul.plain", {}, items.map((alert) => h("li", {},
    h("a", { href: `#/alerts?alert=${alert.id}` }, words(alert.rule)), " ", chip(alert.severity, alert.severity === "critical" ? "bad" : "warn"),
    h("small", {}, ` ${[alert.subject_name, relative(alert.fired_at)].filter(Boolean).join(" · ")}`))));
}

