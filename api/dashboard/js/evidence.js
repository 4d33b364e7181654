// An answer and what it rests on: citations that lead to passages, passages in their documents, the axiom, a rating.

import { part } from "./api.js";
import { append, h, replace } from "./dom.js";
import { dayTime, duration, number, signed, usd, whole, words } from "./format.js";
import { button, chip, definition, failure, grounding, linkButton, loading, notHere, skeleton, table, timeTag } from "./parts.js";

const MARKER = /\[(\d+(?:\s*[,;]\s*\d+)*)\]/g; // [1] and [1, 2], as answers cite
const WINDOW = 6_000; // characters of a document around a passage
const WIDEST = 100_000;

/** What the eight terms are, by their letters. */
export const TERMS = {
  A: ["A impulse", "likeness of question and evidence"],
  B: ["B elements", "share of the question covered"],
  C: ["C pressure", "coherence of the evidence"],
  X: ["X objectivity", "1 − subjectivity"],
  Y: ["Y why", "how far the evidence swings together"],
  Z: ["Z certainty", "1 − uncertainty"],
  E: ["E energy", "of the gem"],
  F: ["F feedback", "of users; the factor is 1 + F"],
};

/** Show the axiom of a reflection as a waterfall; the term that holds it back is marked. */
export function showAxiom(charts, host, axiom) {
  const steps = Object.keys(TERMS).map((letter) => ({
    name: TERMS[letter][0],
    note: TERMS[letter][1],
    value: axiom.terms[letter],
    share: axiom.shares[letter],
    limiting: axiom.limiting_term === letter,
  }));
  return charts.waterfall(host, { label: "The axiom of this answer, term by term", steps, total: axiom.score });
}

/** Say which term holds a score back, in a sentence. */
export function limits(axiom) {
  const letter = axiom.limiting_term;
  if (!letter) return "No term holds it back.";
  const [name, note] = TERMS[letter];
  return `${name} (${note}) holds it back most: ${number(axiom.terms[letter], 3)}.`;
}

/**
 * The text of an answer, which may grow: { element, set(text) }. Its citations are buttons; `onCite(label)` is told which
 * one was chosen. What is there stays there, so that a citation keeps the focus while more words come.
 *
 * @param {Set<number>} labels of the passages that the answer was given
 */
export function citedText(labels, onCite) {
  const tail = document.createTextNode("");
  const element = h("p.words", {}, tail);
  let settled = 0; // characters up to the last citation
  return {
    element,
    set(text) {
      for (const found of text.matchAll(MARKER)) {
        const end = found.index + found[0].length;
        if (end <= settled) continue;
        tail.before(text.slice(settled, found.index), ...citations(found[1], labels, onCite));
        settled = end;
      }
      tail.data = text.slice(settled);
      return element;
    },
  };
}

function citations(group, labels, onCite) {
  return group
    .split(/\s*[,;]\s*/)
    .map(Number)
    .map((label) => {
      if (!labels.has(label)) return h("span.cite.invented", { title: "The answer cites what it was not given" }, `[${label}]`);
      const props = { type: "button", dataset: { label }, "aria-label": `Passage ${label}` };
      return h("button.cite", { ...props, on: { click: () => onCite(label) } }, String(label));
    });
}

/** The passages of an answer of a gem as a list of cards. `onOpen(passage)` shows one in its document. */
export function evidenceList(passages, gem, onOpen) {
  const most = Math.max(1e-9, ...passages.map((each) => each.score));
  return h(
    "ol.evidence",
    {},
    passages.map((each) => evidenceCard(each, gem, most, onOpen)),
  );
}

function evidenceCard(passage, gem, most, onOpen) {
  const place = [passage.title, passage.heading, passage.source].filter(Boolean).join(" · ") || "Untitled document";
  const via = passage.gem_id === gem ? null : chip(passage.gem_name || "another gem", "accent", "Reached in another gem");
  const bar = h(
    "span.meter-bar",
    { "aria-hidden": "true" },
    h("span", { style: { width: `${Math.max(0, passage.score / most) * 100}%`, background: "var(--c-coherence)" } }),
  );
  const score = h("span.meter", {}, bar, h("span.unseen", {}, "Score "), h("span.number", {}, number(passage.score, 2)));
  const open = button("In its document", () => onOpen(passage), {
    kind: "quiet",
    "aria-label": `Passage ${passage.label} in its document`,
  });
  const head = h(
    "div.evidence-head",
    {},
    h("span.label", { "aria-hidden": "true" }, String(passage.label)),
    h("b", {}, place),
    via,
  );
  const foot = h("div.evidence-foot", {}, score, open);
  return h(
    "li",
    { id: `evidence-${passage.label}`, dataset: { label: passage.label }, tabindex: "-1" },
    head,
    h("p", {}, passage.text),
    foot,
  );
}

/** Say of the passages of a list which were not cited, once that is known. */
export function markCited(list, passages) {
  for (const each of passages) {
    if (!each.cited) list.querySelector(`li[data-label="${each.label}"] .evidence-head`)?.append(chip("not cited"));
  }
}

/** Move to a passage of the list and mark it for a moment. */
export function pointAt(list, label) {
  const found = list.querySelector(`li[data-label="${label}"]`);
  if (!found) return;
  for (const each of list.querySelectorAll(".pointed")) each.classList.remove("pointed");
  found.classList.add("pointed");
  found.scrollIntoView({ block: "nearest" });
}

/** Show a passage in its document, in a sheet at the side. Closing it gives the focus back. */
export function openPassage(app, passage) {
  const body = h("div.sheet-body");
  const close = h("button.secondary", { type: "button" }, "Close");
  const title = passage.title || passage.external_id || "Document";
  const heading = h("h2#sheet-title", {}, passage.label ? `${passage.label} · ${title}` : title);
  const dialog = h("dialog.sheet", { "aria-labelledby": "sheet-title" }, h("article", {}, h("header", {}, heading, close), body));
  const end = () => dialog.close();
  close.addEventListener("click", end);
  dialog.addEventListener("click", (event) => event.target === dialog && end());
  dialog.addEventListener("close", () => dialog.remove());
  app.signal.addEventListener("abort", end, { once: true });
  document.body.append(dialog);
  dialog.showModal();
  fillSheet(app, body, passage, WINDOW);
  return dialog;
}

async function fillSheet(app, body, passage, characters) {
  const path = `/gems/${part(passage.gem_id)}/documents/${part(passage.document_id)}`;
  const id = passage.passage_id || passage.id;
  replace(body, skeleton(8));
  try {
    const found = await app.api.get(path, { passage: id, characters });
    replace(
      body,
      excerpt(found, id, () => fillSheet(app, body, passage, WIDEST)),
    );
    body.querySelector("mark")?.scrollIntoView({ block: "center" });
  } catch (error) {
    if (error?.status !== 404)
      return void replace(
        body,
        failure(error, () => fillSheet(app, body, passage, characters)),
      );
    const text = "The document was replaced or deleted since. This is the passage as it was when the answer was given:";
    replace(body, h("p.muted", {}, text), h("div.document", {}, h("mark", {}, passage.text)));
  }
}

function excerpt(found, id, widen) {
  const { document: about, text, start, end, passages } = found;
  const place = passages.find((each) => each.id === id);
  const [from, to] = [place.start - start, place.end - start];
  // characters are counted as Postgres does, by code points
  const letters = Array.from(text);
  const cut = (a, b) => letters.slice(Math.max(0, a), Math.max(0, b)).join("");
  const facts = [
    ["Source", about.source],
    ["Speaker", about.speaker],
    ["Thread", about.thread],
    ["Occurred", about.occurred_at && timeTag(about.occurred_at, dayTime)],
    ["Stored", timeTag(about.updated_at, dayTime)],
    ["Passage", `${place.ordinal + 1} of ${whole(about.passages)}`],
    ["No longer recalled", about.closed_at && [timeTag(about.closed_at), ` (${about.closed_reason})`]],
  ].filter(([, value]) => value);
  const more = start > 0 || end < about.characters ? button("Show more of it", widen, { kind: "secondary" }) : null;
  const shown = h("div.document", { tabindex: "0", role: "region", "aria-label": "Text of the document" });
  append(
    shown,
    start > 0 ? "… " : "",
    cut(0, from),
    h("mark", {}, cut(from, to)),
    cut(to, letters.length),
    end < about.characters ? " …" : "",
  );
  return [definition(facts), shown, more];
}

const RATINGS = [
  [-1, "Wrong"],
  [-0.5, "Mostly wrong"],
  [0, "Neither"],
  [0.5, "Mostly right"],
  [1, "Right"],
];

/** Controls to rate an answer; `onRated(gem)` gets the gem whose feedback it moved. */
export function rating(app, reflection, onRated = () => {}) {
  const said = h(
    "p.muted",
    { "aria-live": "polite" },
    reflection.rating === null ? "Not rated yet." : `Rated ${signed(reflection.rating, 1)}.`,
  );
  const name = `rating-${reflection.id}`;
  const rate = async (value) => {
    const gem = await app.api.post(`/reflections/${part(reflection.id)}/feedback`, { rating: value });
    replace(said, `Rated ${signed(value, 1)}: the gem's feedback is now ${signed(gem.feedback, 2)}.`);
    onRated(gem);
  };
  const choices = RATINGS.map(([value, label]) => {
    const input = h("input", { type: "radio", name, value: String(value), checked: reflection.rating === value });
    input.addEventListener("change", () => rate(value).catch((error) => app.toast(error.detail || String(error), "bad")));
    return h("label", {}, input, h("span", {}, label));
  });
  const legend = h("legend", {}, "Is it right?");
  return h("div", {}, h("fieldset.rating", {}, legend, h("div.segments", {}, choices)), said);
}

/** How an answer came about: who gave it, what it cost, every attempt. */
export function provenance(reflection) {
  const cost = reflection.cost_usd === null ? "not known" : usd(reflection.cost_usd, 6);
  const facts = [
    ["Answered by", [reflection.target, reflection.model ? ` (${reflection.model})` : ""].join("")],
    ["Grounding", grounding(reflection.grounding)],
    ["Took", duration(reflection.seconds)],
    ["Cost", cost],
    ["Tokens", `${whole(reflection.usage.input_tokens)} in, ${whole(reflection.usage.output_tokens)} out`],
    ["From the cache", reflection.cached ? "yes" : "no"],
    ["Experiment", reflection.variant],
    ["Asked", timeTag(reflection.created_at, dayTime)],
  ].filter(([, value]) => value !== null);
  const columns = [
    { label: "Target", head: true, cell: (each) => each.target },
    { label: "Outcome", cell: (each) => chip(words(each.error ?? each.outcome), each.outcome === "answered" ? "good" : "bad") },
    { label: "Took", align: "end", cell: (each) => duration(each.seconds) },
    { label: "First token", align: "end", cell: (each) => duration(each.first_token_s) },
  ];
  const attempts = table({ caption: "Attempts", columns, rows: reflection.attempts });
  return [definition(facts), h("details.attempts", {}, h("summary", {}, `Attempts: ${reflection.attempts.length}`), attempts)];
}

/** What the use of an answer did to its gem. */
export function stateChange(change) {
  const rows = ["coherence", "energy", "uncertainty"].map((name) => ({
    name,
    before: change.before[name],
    after: change.after[name],
  }));
  const columns = [
    { label: "State of the gem", head: true, cell: (each) => words(each.name) },
    { label: "Before", align: "end", cell: (each) => number(each.before, 3) },
    { label: "After", align: "end", cell: (each) => number(each.after, 3) },
    { label: "Change", align: "end", cell: (each) => signed(each.after - each.before, 3) },
  ];
  return table({ caption: "What the use changed", columns, rows });
}

/** Load a reflection into a host; see loading(). */
export const loadReflection = (app, host, id, render) => {
  const missing = () => notHere("reflection", linkButton("Ask a gem", "#/reflect"));
  return loading(host, () => app.api.get(`/reflections/${part(id)}`), render, { lines: 10, missing });
};
