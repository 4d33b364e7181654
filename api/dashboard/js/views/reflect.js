// Reflect: ask a gem, watch the evidence arrive and the answer stream, check its citations, rate it.

import { isAbort, part, Problem } from "../api.js";
import { append, h, replace } from "../dom.js";
import {
  citedText,
  evidenceList,
  limits,
  markCited,
  openPassage,
  pointAt,
  provenance,
  rating,
  showAxiom,
  stateChange,
} from "../evidence.js";
import { duration, number, short } from "../format.js";
import { gemChoice, isGone, listGems } from "../gem-choice.js";
import { empty, failure, field, grounding, linkButton, loading, more, notHere, page, panel, select, skeleton, table, timeTag } from "../parts.js";

export const title = "Reflect";
const REACHES = [
  ["own", "This gem only"],
  ["entangled", "And what is entangled with it"],
  ["lattice", "The whole lattice"],
];

export async function show(root, params, app) {
  const { body } = page(root, { title, lead: "Ask a gem. The evidence comes first, then the answer, then what it rests on." });
  const host = h("div.reflect");
  body.append(host);
  await loading(
    host,
    () => Promise.all([listGems(app.api, params.gem), app.api.get("/llm/targets")]),
    ([gems, llm]) => {
      if (isGone(gems, params.gem)) return notHere("gem", linkButton("Ask another gem", "#/reflect"));
      if (gems.length === 0) return noGems();
      return desk(
        gems,
        llm.models.map((each) => each.name),
        params,
        app,
      );
    },
  );
}

function noGems() {
  const link = linkButton("Ingest something", "#/ingestion");
  return empty("There is no gem to ask yet", "A gem holds what you know of one topic, person or project.", link);
}

function desk(gems, models, params, app) {
  const answer = answerPanel(app);
  const past = panel("Asked before", { note: "The newest answers of this gem." });
  const form = askForm(gems, models, params, app, answer, () => showPast(past, form.gem(), app));
  showPast(past, form.gem(), app);
  return [form.element, answer.element, past];
}

function askForm(gems, models, params, app, answer, onAnswered) {
  const choice = gemChoice(gems, {
    chosen: params.gem,
    onChange: (id) => {
      app.remember({ gem: id });
      onAnswered();
    },
  });
  const question = h("textarea", {
    name: "question",
    rows: "2",
    required: true,
    maxlength: "10000",
    placeholder: "What do you want to know?",
    value: params.q || "",
  });
  const reach = select(REACHES, params.reach || "own", (value) => app.remember({ reach: value === "own" ? null : value }), {
    name: "reach",
  });
  const model = select(
    models.map((name) => [name, name]),
    params.model || models[0],
    () => {},
    { name: "model" },
  );
  const most = h("input", { type: "number", name: "k", min: "1", max: "50", value: "8" });
  const options = h(
    "details.options",
    {},
    h("summary", {}, "Options"),
    h("div.fields", {}, field("Reach", reach), field("Model", model), field("Passages at the most", most)),
  );
  const go = h("button", { type: "submit" }, "Ask");
  const stop = h("button.secondary", { type: "button", hidden: true }, "Stop");
  const form = h(
    "form.ask",
    {},
    h("div.ask-row", {}, choice.element, field("Question", question), h("div.ask-buttons", {}, go, stop)),
    options,
  );
  let running = null;

  const ask = async () => {
    const text = question.value.trim();
    if (!text || running) return;
    running = new AbortController();
    app.signal.addEventListener("abort", () => running?.abort(), { once: true });
    app.remember({ gem: choice.value(), q: text });
    go.disabled = true;
    stop.hidden = false;
    const asked = {
      question: text,
      k: Number(most.value) || 8,
      model: model.value,
      ...(reach.value === "own" ? {} : { reach: reach.value }),
    };
    try {
      await answer.ask(choice.value(), asked, running.signal);
      onAnswered();
    } finally {
      running = null;
      go.disabled = false;
      stop.hidden = true;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    ask();
  });
  stop.addEventListener("click", () => running?.abort());
  return { element: panelOf(form), gem: choice.value };
}

const panelOf = (form) => {
  const box = panel("Question");
  box.body.append(form);
  return box;
};

/** The place of the answer: it waits, streams, and is taken apart when it is done. */
function answerPanel(app) {
  const text = h("div.answer", { "aria-live": "polite", "aria-busy": "false" });
  const facts = h("div.answer-facts");
  const verdict = h("div.verdict");
  const said = panel("Answer", { size: "two-thirds" });
  const found = panel("Evidence", { size: "third" });
  const element = h("div.page-body.answering", {}, said, found);
  const below = h("div.page-body.below");
  append(said.body, text, facts, verdict);
  const idle = () => {
    replace(text, h("p.muted", {}, "The answer appears here, word by word, with a number for each passage that it cites."));
    replace(found.body, h("p.muted", {}, "The passages that it rests on appear here first."));
  };
  idle();

  async function ask(gem, asked, signal) {
    const state = { passages: [], words: citing([]), text: "", began: performance.now(), done: null, gem };
    replace(facts);
    replace(verdict);
    replace(below);
    replace(text, h("p.muted", {}, "Looking for evidence …"));
    replace(found.body, skeleton(6));
    text.setAttribute("aria-busy", "true");
    try {
      await app.api.stream(`/gems/${part(gem)}/reflections`, { body: asked, signal, onEvent: (event) => hear(event, state) });
      if (state.done === null) throw new Problem({ detail: "The answer broke off. Nothing was stored; ask again." });
      finish(state.done, state);
    } catch (error) {
      if (app.signal.aborted) return;
      if (isAbort(error)) replace(text, h("p.muted", {}, "Stopped. Nothing was stored."));
      else
        replace(
          text,
          failure(error, () => ask(gem, asked, signal)),
        );
      if (state.passages.length === 0) replace(found.body);
    } finally {
      text.setAttribute("aria-busy", "false");
    }
  }

  function hear(event, state) {
    if (event.name === "evidence") {
      state.passages = event.data.passages.map((each, i) => ({ ...each, label: i + 1 }));
      state.words = citing(state.passages);
      showEvidence(state.passages, state.gem);
      replace(text, h("p.muted", {}, state.passages.length ? "Writing …" : "Nothing was found that could answer."));
    } else if (event.name === "token") {
      if (state.text === "")
        replace(facts, h("p.muted", {}, `First word after ${duration((performance.now() - state.began) / 1000)}`));
      state.text += event.data.text;
      if (!state.words.element.isConnected) replace(text, state.words.element, h("span.caret", { "aria-hidden": "true" }));
      state.words.set(state.text);
    } else if (event.name === "done") state.done = event.data;
    else if (event.name === "error") throw new Problem(event.data);
  }

  const citing = (passages) =>
    citedText(new Set(passages.map((each) => each.label)), (label) => {
      pointAt(found, label);
      openPassage(
        app,
        passages.find((each) => each.label === label),
      );
    });

  function showEvidence(passages, gem) {
    const none = empty("No passage was found", "Widen the reach, or ingest something that speaks of it.");
    replace(found.body, passages.length ? evidenceList(passages, gem, (each) => openPassage(app, each)) : none);
  }

  function finish(reflection, state) {
    text.querySelector(".caret")?.remove();
    if (state.text !== reflection.answer) replace(text, citing(reflection.evidence).set(reflection.answer));
    const link = h("a", { href: `#/reflections/${reflection.id}` }, "Link to this answer");
    replace(facts, h("p.muted", {}, grounding(reflection.grounding), ` in ${duration(reflection.seconds)} · `, link));
    if (state.passages.length === reflection.evidence.length) markCited(found, reflection.evidence);
    else showEvidence(reflection.evidence, reflection.gem_id);
    replace(verdict, rating(app, reflection));
    replace(below, takenApart(app, reflection));
    app.announce(`The answer is there. ${limits(reflection.axiom)}`);
  }

  return { element: [element, below], ask };
}

/** What stands below an answer: the axiom, and how it came about. */
export function takenApart(app, reflection) {
  const axiom = panel("Why this score", { size: "two-thirds", note: limits(reflection.axiom) });
  const origin = panel("How it came about", { size: "third" });
  showAxiom(app.charts, axiom.body, reflection.axiom);
  append(origin.body, provenance(reflection), reflection.change ? stateChange(reflection.change) : null);
  return [axiom, origin];
}

function showPast(host, gem, app) {
  replace(host.body);
  const fetchPage = (cursor) => app.api.get(`/gems/${part(gem)}/reflections`, { limit: 10, cursor });
  return more(host.body, fetchPage, (items) => pastTable(items));
}

function pastTable(items) {
  const columns = [
    {
      label: "Question",
      head: true,
      class: "prose",
      cell: (each) => h("a", { href: `#/reflections/${each.id}` }, short(each.question, 90)),
    },
    { label: "Answer", class: "wide-only", cell: (each) => short(each.answer, 110) },
    { label: "Grounding", cell: (each) => grounding(each.grounding) },
    { label: "Score", align: "end", cell: (each) => number(each.score, 3) },
    { label: "Asked", align: "end", cell: (each) => timeTag(each.created_at) },
  ];
  return table({
    caption: "Reflections of this gem",
    columns,
    rows: items,
    none: empty("Nothing was asked yet", "Ask the first question above."),
  });
}
