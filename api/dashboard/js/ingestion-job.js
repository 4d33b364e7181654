// One ingestion: how far it has come, what could not be stored, and what can be done about it.

import { part } from "./api.js";
import { append, h, replace, setText } from "./dom.js";
import { dayTime, duration, number, short, whole } from "./format.js";
import { button, chip, definition, more, table, timeTag } from "./parts.js";

const KINDS = { queued: "", running: "accent", done: "good", failed: "bad", cancelled: "warn" };

/** One job: its line, updated in place, and what is behind it. */
export function jobRow(first, names, app, refresh) {
  let job = first;
  const state = h("span.job-state");
  const bar = h("span");
  const track = h("span.meter-bar.job-bar", { "aria-hidden": "true" }, bar);
  const text = h("span.job-text");
  const actions = h("span.actions");
  const behind = h("div.job-behind");
  const details = h(
    "details.job",
    { dataset: { job: job.id } },
    h("summary", {}, state, h("span.job-name", {}, short(job.input, 60)), track, text),
    h("div.job-actions", {}, actions),
    behind,
  );
  details.addEventListener("toggle", () => {
    if (details.open) showBehind();
  });

  function update(next) {
    const changed = next.state !== job.state || !state.hasChildNodes();
    job = next;
    details.dataset.state = job.state;
    if (changed) {
      replace(state, chip(job.state, KINDS[job.state]));
      replace(actions, actionsOf(job, app, refresh));
    }
    const share = job.state === "done" ? 1 : job.total ? Math.min(1, job.read / job.total) : 0;
    bar.style.width = `${share * 100}%`;
    bar.style.background = `var(--c-${job.state === "failed" ? "bad" : job.state === "done" ? "good" : "accent"}, var(--accent))`;
    setText(text, sentence(job));
    if (changed && details.open) showBehind();
  }

  function showBehind() {
    replace(
      behind,
      definition([
        [
          "Into",
          job.by_row
            ? "the gems that its rows name"
            : h("a", { href: `#/gems/${job.gem_id}` }, names.get(job.gem_id) ?? job.gem_id),
        ],
        ["Sent", timeTag(job.created_at, dayTime)],
        ["Begun", job.started_at ? timeTag(job.started_at, dayTime) : "not yet"],
        ["Ended", job.finished_at ? timeTag(job.finished_at, dayTime) : "not yet"],
        [
          "Documents",
          `${whole(job.stored)} stored (${whole(job.replaced)} replaced), ${whole(job.skipped)} as they were, ${whole(job.failed)} failed`,
        ],
        ["Passages", `${whole(job.passages)}${job.passages_per_s ? `, ${number(job.passages_per_s, 0)} a second` : ""}`],
        ...(job.error ? [["Why", h("span.bad", {}, job.error.message)]] : []),
      ]),
    );
    const rows = h("div");
    behind.append(rows);
    const fetchPage = (cursor) => app.api.get(`/ingestions/${part(job.id)}/problems`, { limit: 50, cursor });
    if (job.failed > 0) more(rows, fetchPage, problemTable);
    else append(rows, h("p.muted", {}, "Every row read so far could be stored."));
  }

  return {
    element: details,
    update,
    open: () => {
      details.open = true;
    },
  };
}

function sentence(job) {
  const rows = job.total ? `${whole(job.read)} of ${whole(job.total)}` : whole(job.read);
  const failed = job.failed ? ` · ${whole(job.failed)} failed` : "";
  if (job.state === "running")
    return `${rows} rows${failed}${job.seconds_left === null ? "" : ` · ${duration(job.seconds_left)} left`}`;
  if (job.state === "queued") return "waits for a worker";
  return `${whole(job.stored)} stored · ${whole(job.skipped)} as they were${failed} · ${duration(job.seconds)}`;
}

function actionsOf(job, app, refresh) {
  const act = (verb) => async () => {
    await app.api.post(`/ingestions/${part(job.id)}/${verb}`);
    await refresh();
  };
  const make = (label, verb) => button(label, act(verb), { kind: "secondary", "aria-label": `${label}: ${job.input}` });
  if (job.state === "running" || job.state === "queued") return [make("Cancel", "cancel")];
  if (job.state === "failed" || job.state === "cancelled") return [make("Go on", "resume"), make("Retry what failed", "retry")];
  return job.failed > 0 ? [make("Retry what failed", "retry")] : [];
}

function problemTable(items) {
  const columns = [
    { label: "File", head: true, cell: (each) => each.name },
    { label: "Line", align: "end", cell: (each) => (each.line === null ? "–" : whole(each.line)) },
    { label: "What is wrong", cell: (each) => each.problem },
  ];
  return table({ caption: "What could not be stored", columns, rows: items });
}
