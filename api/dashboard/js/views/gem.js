// One gem: its state through time with every measurement, what it holds, what it is tied to, and what can be done.

import { isAbort, isMissing, part } from "../api.js";
import { h, replace, setText } from "../dom.js";
import { angle, counted, day, duration, number, relative, short, signed, words } from "../format.js";
import { chip, empty, failure, grounding, linkButton, loading, more, notHere, page, panel, select, stat, stats, table, timeTag } from "../parts.js";
import { stillWaiting } from "../waiting.js";
import { actions } from "./gem/actions.js";
import { curves } from "./gem/curves.js";
import { entanglements } from "./gem/entanglements.js";
import { snapshots } from "./gem/snapshots.js";

export const title = "Gem";
const UNTOLD = "\u00a0"; // keeps its line

export async function show(root, params, app) {
  const at = `/gems/${part(params.id)}`;
  const { heading, actions: buttons, body } = page(root, { title, lead: [stillWaiting(), UNTOLD, h("br"), h("small", {}, UNTOLD)] });
  const reload = () => app.go(`#/gems/${params.id}`);
  const numbers = stateNumbers();
  const state = curves(at, params, app);
  const held = panel("Passages", { size: "half", note: "What it holds. Each passage has a state of its own." });
  const overlap = panel("Interference of its passages", { size: "half", note: "Passages formed at the same time agree in phase; use moves them apart. Their numbers are those of the table." });
  const ties = entanglements(at, params, app);
  const kept = snapshots(at, app, reload);
  const log = panel("Log", { size: "half", note: "Every measurement of the gem and its passages; nothing is ever taken out." });
  const asked = panel("Reflections", { size: "half", actions: [h("a", { href: `#/reflect?gem=${params.id}` }, "Ask")] });
  body.append(numbers.element, state.element, held, overlap, ties.element, kept.element, log, asked);
  const gem = await app.api.get(at).catch((error) => {
    if (isAbort(error)) throw error;
    replace(root.querySelector(".lead"));
    replace(body, isMissing(error) ? notHere("gem", linkButton("See all gems", "#/gems")) : failure(error, reload));
    return null;
  });
  if (gem === null) return;
  setText(heading, gem.name);
  document.title = `${gem.name} · Crystal Lattice`;
  describe(root, gem);
  buttons.append(...actions(gem, at, app, reload));
  await Promise.all([
    numbers.load(at, app, gem),
    state.load(),
    passages(held, at, params, app),
    heat(overlap, at, app),
    ties.load(),
    kept.load(),
    more(log.body, (cursor) => app.api.get(`${at}/measurements`, { limit: 10, cursor }), logTable, { lines: 5 }),
    more(asked.body, (cursor) => app.api.get(`${at}/reflections`, { limit: 8, cursor }), reflectionTable, { lines: 5 }),
  ]);
}

function describe(root, gem) {
  const marks = [gem.archived_at ? chip("archived", "warn", "Read only, and left out of recall over the lattice") : null];
  const made = h("small", {}, "made ", timeTag(gem.created_at, day), ", last used ", timeTag(gem.measured_at));
  replace(root.querySelector(".lead"), short(gem.description, 300) || "No description.", " ", ...marks.filter(Boolean), h("br"), made);
}

function stateNumbers() {
  const shown = {
    coherence: stat("Coherence"),
    falls: stat("Falls below 0.1"),
    energy: stat("Energy (τ)", undefined, "how slowly it fades"),
    uncertainty: stat("Uncertainty", undefined, "how stale it is"),
    phase: stat("Phase", undefined, "when it was formed"),
    field: stat("Share in the field", undefined, "with or against the others"),
    feedback: stat("Feedback"),
  };
  return {
    element: h("div.numbers", {}, stats(...Object.values(shown).map((each) => each.element))),
    async load(at, app, gem) {
      const show_ = ({ state, field, falls_at: falls }) => {
        shown.coherence.set(number(state.coherence, 3), "how firmly it holds");
        shown.energy.set(number(state.energy, 3));
        shown.uncertainty.set(number(state.uncertainty, 3));
        shown.phase.set(angle(state.phase));
        shown.field.set(signed(field, 3));
        shown.falls.set(falls ? relative(falls) : "never", falls ? day(falls) : "if nobody uses it");
      };
      show_({ state: gem.state, field: null, falls_at: null });
      shown.feedback.set(gem.ratings ? signed(gem.feedback, 2) : "none", gem.ratings ? `of ${counted(gem.ratings, "rating")}` : "nobody has rated it");
      // the state above is the gem's own; without them it is only less told
      const [found, about] = await Promise.all([`${at}/state`, "/info"].map((path) => app.api.get(path).catch(() => null)));
      if (found) show_(found);
      if (about) shown.energy.set(number((found ?? gem).state.energy, 3), `how slowly it fades; τ is ${days(about.time_unit_days)}`);
    },
  };
}

const days = (length) => (Number.isInteger(length) ? counted(length, "day") : duration(length * 86_400));

function passages(held, at, params, app) {
  const orders = [["-coherence", "Firmest first"], ["coherence", "Faintest first"], ["position", "As stored"]];
  const host = h("div");
  held.body.append(host);
  const load = (order) => {
    replace(host);
    return more(host, (cursor) => app.api.get(`${at}/passages`, { order, limit: 8, cursor }), passageTable, { key: "passages", lines: 8 });
  };
  held.actions.append(select(orders, orders[0][0], load, { "aria-label": "Order of passages" }));
  return load(orders[0][0]);
}

function passageTable(found) {
  return table({
    caption: "Passages",
    rows: found,
    none: empty("It holds nothing yet", "Ingest documents into it.", linkButton("Ingest", "#/ingestion")),
    columns: [
      { label: "Passage", cell: (each) => [each.heading ? h("b", {}, `${each.heading} `) : null, short(each.text, 150), each.closed ? [" ", chip("closed")] : null], class: "breaks" },
      { label: "Coherence", cell: (each) => number(each.state.coherence, 3), align: "end" },
      { label: "Falls below 0.1", cell: (each) => (each.falls_at ? timeTag(each.falls_at) : "never"), class: "tight wide-only" },
    ],
  });
}

function heat(overlap, at, app) {
  return loading(overlap.body, () => app.api.get(`${at}/interference`, { limit: 40 }), ({ labels, matrix, order_parameter: order }, host) => {
    if (labels.length < 2) return empty("Nothing to compare", "It takes two passages to interfere.");
    replace(host);
    const label = `Interference of ${labels.length} passages; order parameter ${number(order, 2)}`;
    app.charts.heatmap(host, { label, names: labels.map((each) => each.text), matrix, height: 320 });
    return undefined;
  }, { lines: 8 });
}

function logTable(items) {
  return table({
    caption: "Log of measurements",
    rows: items,
    none: empty("Not used yet", "Ask it something: what the answer cites is measured."),
    columns: [
      { label: "Cause", head: true, cell: (each) => cause(each) },
      { label: "Of", cell: (each) => (each.passage_id ? "passage" : "gem") },
      { label: "Gain", cell: (each) => number(each.gain, 2), align: "end", class: "wide-only" },
      { label: h("span", { title: "Right after it" }, "Coherence"), cell: (each) => number(each.coherence, 3), align: "end" },
      { label: "When", cell: (each) => timeTag(each.measured_at), class: "tight" },
    ],
  });
}

function cause(each) {
  const name = words(each.cause);
  if (each.reflection_id) return h("a", { href: `#/reflections/${each.reflection_id}` }, name);
  if (each.via_gem_id) return h("a", { href: `#/gems/${each.via_gem_id}` }, name);
  return name;
}

function reflectionTable(items) {
  return table({
    caption: "Reflections of this gem",
    rows: items,
    none: empty("Nobody has asked it yet"),
    columns: [
      { label: "Question", head: true, cell: (each) => h("a", { href: `#/reflections/${each.id}` }, short(each.question, 80)), class: "prose" },
      { label: "Evidence", cell: (each) => grounding(each.grounding) },
      { label: "Score", cell: (each) => number(each.score, 3), align: "end" },
      { label: "Rated", cell: (each) => (each.rating === null ? "" : signed(each.rating, 1)), align: "end", class: "wide-only" },
      { label: "Asked", cell: (each) => timeTag(each.created_at), class: "tight wide-only" },
    ],
  });
}
