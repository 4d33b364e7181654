// The recall lab: one question, every channel's list side by side, and how each step moved each passage.

import { h, replace } from "../dom.js";
import { openPassage } from "../evidence.js";
import { counted, number, percent, short, signed } from "../format.js";
import { gemChoice, isGone, listGems } from "../gem-choice.js";
import { button, chip, definition, empty, field, linkButton, loading, notHere, page, panel, table } from "../parts.js";
import { moved, rankFlow } from "../rank-flow.js";

export const title = "Recall lab";

const TITLES = {
  late: "Late interaction",
  dense: "Meaning",
  lexical: "Words",
  speaker: "Speaker",
  title: "Title",
  link: "Links",
  fused: "Fused",
  linked: "With links",
  modulated: "With states",
  stateless: "Without states",
  final: "Final",
};
const NOTES = {
  late: "each word of the question in its best context",
  dense: "likeness of meaning",
  lexical: "words in common, by how rare they are",
  speaker: "the question names who speaks",
  title: "the question says its title",
  link: "one of the best links to it",
  fused: "channels together",
  linked: "and what links add",
  modulated: "and what coherence and phase add or take",
  stateless: "the final order if states did not count",
  final: "and novelty: what those above it do not cover",
};
const FLOW = ["late", "dense", "lexical", "fused", "linked", "modulated", "final"];
const PARTS = ["late", "dense", "lexical", "speaker", "title", "link", "coherence", "interference", "novelty"];
const SHOWN = 12; // passages in the flow

export async function show(root, params, app) {
  const lead =
    "Ask a question and see what each channel finds, how they are fused, and what the states of the passages change. Nothing is measured.";
  const { body } = page(root, { title, lead });
  const host = h("div.lab");
  body.append(host);
  await loading(
    host,
    () => listGems(app.api, params.gem),
    (gems) => {
      if (isGone(gems, params.gem)) return notHere("gem", linkButton("Look in all gems", "#/recall"));
      if (gems.length === 0)
        return empty(
          "There is nothing to recall yet",
          "Ingest something first.",
          linkButton("Ingest", "#/ingestion"),
        );
      const result = h("div.page-body.lab-result");
      const form = askForm(gems, params, app, result);
      return [form.element, result, void (params.q && form.ask())];
    },
  );
}

function askForm(gems, params, app, result) {
  const choice = gemChoice(gems, { chosen: params.gem, all: "All gems" });
  const question = h("input", {
    type: "search",
    name: "question",
    required: true,
    maxlength: "10000",
    value: params.q || "",
    placeholder: "What do you look for?",
  });
  const asOf = h("input", { type: "datetime-local", name: "as_of", value: toLocal(params.as_of) });
  const go = h("button", { type: "submit" }, "Take apart");
  const form = h(
    "form.ask.lab-form",
    {},
    choice.element,
    field("Question", question),
    field("As of", asOf, "empty is now"),
    h("div.ask-buttons", {}, go),
  );
  const box = panel("Question");
  box.body.append(form);
  const ask = async () => {
    const text = question.value.trim();
    if (!text) return;
    const at = asOf.value ? new Date(asOf.value).toISOString() : null;
    app.remember({ gem: choice.value(), q: text, as_of: at });
    go.disabled = true;
    const gemIds = choice.value() ? [choice.value()] : [];
    const body = { question: text, gem_ids: gemIds, shown: 20, ...(at ? { as_of: at } : {}) };
    replace(result);
    try {
      await loading(
        result,
        () => app.api.post("/recall/channels", body),
        (found) => results(found, gems, app),
        { lines: 12 },
      );
    } finally {
      go.disabled = false;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  return { element: box, ask };
}

function results(found, gems, app) {
  if (found.passages.length === 0)
    return panelWith("Nothing was found", empty("No passage was found", "The gem may be empty, or was at that time."));
  const names = new Map(gems.map((gem) => [gem.id, gem.name]));
  const passages = new Map(found.passages.map((each) => [each.passage.id, each]));
  const lists = new Map(found.lists.map((each) => [each.name, each]));
  const rows = found.passages
    .filter((each) => each.ranks.final <= SHOWN)
    .map((each) => ({ id: each.passage.id, text: each.passage.text, ranks: each.ranks, score: each.passage.score }));
  const detail = panel("One passage", { note: "Choose one to see where its score comes from." });
  const pick = (id) => showDetail(detail, passages.get(id), names, app);
  const lighters = [];
  const light = (id) => lighters.forEach((each) => each(id));
  const flow = panel("How the ranking came about", {
    note: `${counted(found.candidates, "candidate")} from meaning and words, ${found.linked} more by links. Each line is one passage.`,
  });
  const columns = FLOW.map((name) => ({ name, title: TITLES[name] }));
  const chart = rankFlow({ label: "Rank of each passage in each list", columns, rows, onLight: light, onPick: pick });
  flow.body.append(chart.element);
  const beside = besideEachOther(found.lists, passages, light, pick);
  lighters.push(chart.light, beside.light);
  pick(rows[0].id);
  return [flow, stateEffect(found.passages, lists), detail, beside.element];
}

const panelWith = (name, ...children) => {
  const made = panel(name);
  made.body.append(...children);
  return made;
};

/** What the states of the passages moved. */
function stateEffect(passages, lists) {
  const shown = passages.filter((each) => each.ranks.final <= SHOWN);
  const columns = [
    { label: "Final", align: "end", cell: (each) => each.ranks.final },
    { label: "Without states", align: "end", cell: (each) => each.ranks.stateless },
    {
      label: "Moved",
      cell: (each) => {
        const { text, kind } = moved(each.ranks.stateless, each.ranks.final);
        return chip(text, kind);
      },
    },
    { label: "Passage", head: true, class: "prose", cell: (each) => short(each.passage.text, 80) },
    { label: "Coherence", align: "end", cell: (each) => number(each.passage.explanation.state.coherence, 3) },
    { label: "By coherence", align: "end", cell: (each) => signed(each.passage.scores.coherence, 3) },
    { label: "In phase", align: "end", cell: (each) => signed(each.passage.explanation.field, 2) },
    { label: "By phase", align: "end", cell: (each) => signed(each.passage.scores.interference, 3) },
  ];
  const turned = shown.filter((each) => each.ranks.stateless !== each.ranks.final).length;
  const note = turned
    ? `${counted(turned, "passage")} of the first ${shown.length} would stand elsewhere if states did not count.`
    : "The states change none of the first places here.";
  const made = panel("What the states changed", { note });
  made.body.append(table({ caption: "What the states changed", columns, rows: shown }));
  made.dataset.turned = String(turned);
  made.dataset.size = String(lists.get("final").size);
  return made;
}

function showDetail(host, { passage, ranks }, names, app) {
  const facts = [
    ["Gem", names.get(passage.gem_id) ?? passage.gem_id],
    ["Document", [passage.title, passage.heading, passage.source].filter(Boolean).join(" · ") || "untitled"],
    ["Probability that it matters", percent(passage.probability, 1)],
    ["Likeness of meaning (cosine)", number(passage.explanation.cosine, 3)],
    ["Words in common (BM25)", number(passage.explanation.bm25, 3)],
    ["Words in their context (max-sim)", number(passage.explanation.max_sim, 3)],
    [
      "Ranks",
      Object.entries(ranks)
        .map(([name, rank]) => `${TITLES[name]} ${rank}`)
        .join(" · "),
    ],
  ];
  const parts = PARTS.filter((name) => passage.scores[name] !== undefined && passage.scores[name] !== null).map((name) => ({
    name,
    value: passage.scores[name],
  }));
  const most = Math.max(1e-9, ...parts.map((each) => Math.abs(each.value)));
  const columns = [
    { label: "Part", head: true, cell: (each) => TITLES[each.name] ?? each.name.charAt(0).toUpperCase() + each.name.slice(1) },
    { label: h("span.unseen", {}, "As a bar"), class: "bar-cell", cell: (each) => signedBar(each.value / most) },
    { label: "Adds", align: "end", cell: (each) => (each.value === 0 ? h("span.muted", {}, "–") : signed(each.value, 3)) },
  ];
  const sum = h("p.muted", {}, `Together ${number(passage.score, 3)}.`);
  const open = button("In its document", () => openPassage(app, passage), { kind: "secondary" });
  const left = h("div", {}, h("blockquote.passage", {}, passage.text), definition(facts), open);
  const right = h("div", {}, table({ caption: "Parts of the score", columns, rows: parts }), sum);
  replace(host.body, h("div.lab-detail", {}, left, right));
}

function signedBar(share) {
  const style = { width: `${Math.abs(share) * 100}%`, background: `var(--c-${share < 0 ? "against" : "with"})` };
  return h("span.meter-bar", { "aria-hidden": "true" }, h("span", { style }));
}

/** Every list with its first places. */
function besideEachOther(lists, passages, light, pick) {
  const made = panel("Every list", { note: "Point at a passage to find it in the other lists." });
  const shown = lists.filter((each) => each.size > 0);
  const missing = lists.filter((each) => each.size === 0).map((each) => TITLES[each.name].toLowerCase());
  const columns = shown.map((each) => listColumn(each, passages, light, pick));
  const region = h("div.lab-lists", { role: "region", "aria-label": "The lists side by side", tabindex: "0" }, columns);
  made.body.append(region);
  if (missing.length) made.body.append(h("p.muted", {}, `Nothing by ${missing.join(", ")}.`));
  region.addEventListener("pointerleave", () => light(null));
  return {
    element: made,
    light(id) {
      for (const each of region.querySelectorAll("li")) each.classList.toggle("on", each.dataset.passage === id);
    },
  };
}

function listColumn(list, passages, light, pick) {
  const items = list.places.map((place) => {
    const { passage } = passages.get(place.passage_id);
    const seen = () => light(place.passage_id);
    const open = h(
      "button.quiet",
      { type: "button", on: { click: () => pick(place.passage_id), focus: seen } },
      short(passage.text, 64),
    );
    return h(
      "li",
      { dataset: { passage: place.passage_id }, on: { pointerenter: seen } },
      h("span.rank", {}, String(place.rank)),
      open,
      h("span.number", {}, number(place.score, 3)),
    );
  });
  const head = h(
    "header",
    {},
    h("h3", {}, TITLES[list.name]),
    h("small", {}, NOTES[list.name]),
    h("small", {}, counted(list.size, "passage")),
  );
  return h("section", { dataset: { list: list.name } }, head, h("ol", {}, items));
}

/** An instant as the viewer's own date and time, for an input. */
export function toLocal(at) {
  if (!at) return "";
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
