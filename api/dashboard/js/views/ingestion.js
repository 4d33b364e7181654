// Ingestion: drop files, watch the jobs, see what could not be stored, cancel, resume, retry.

import { part } from "../api.js";
import { h, replace, setText } from "../dom.js";
import { bytes, counted } from "../format.js";
import { gemChoice, isGone, listGems } from "../gem-choice.js";
import { jobRow } from "../ingestion-job.js";
import { button, empty, field, linkButton, loading, modal, more, notHere, page, panel } from "../parts.js";

export const title = "Ingestion";

const BUSY_MS = 1_000; // between two looks while something runs
const IDLE_MS = 8_000;
const STATES = [
  ["", "All"],
  ["running", "Running"],
  ["queued", "Queued"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
  ["done", "Done"],
];

export async function show(root, params, app) {
  const { body } = page(root, { title, lead: "Drop files to take them in, and watch what becomes of them." });
  const jobs = jobList(params, app);
  const take = panel("Take files in");
  body.append(take, jobs.element);
  await loading(
    take.body,
    () => listGems(app.api, params.gem),
    (gems) => {
      for (const gem of gems) jobs.names.set(gem.id, gem.name);
      if (isGone(gems, params.gem)) return notHere("gem", linkButton("Choose another gem", "#/ingestion"));
      return dropZone(gems, params, app, jobs);
    },
  );
  await jobs.start(params.job);
  return { close: () => jobs.stop() };
}

function dropZone(gems, params, app, jobs) {
  let choice = null;
  const place = h("div");
  const build = (all, chosen) => {
    choice = all.length ? gemChoice(all, { chosen, label: "Into the gem" }) : null;
    replace(place, choice ? choice.element : h("p.muted", {}, "There is no gem yet: make one first."));
    input.disabled = choice === null;
  };
  const input = h("input.unseen#files", {
    type: "file",
    multiple: true,
    name: "files",
    accept: ".txt,.md,.html,.htm,.pdf,.docx,.csv,.jsonl",
  });
  const said = h("p.muted", { "aria-live": "polite" });
  const zone = h(
    "div.drop",
    {},
    h("p.state-title", {}, "Drop files here"),
    h("p.muted", {}, "Text, Markdown, HTML, PDF, Word, CSV or JSON lines"),
    input,
    h("label.drop-choose", { for: "files" }, "Choose files"),
  );
  const send = async (files) => {
    if (files.length === 0 || choice === null) return;
    const form = new FormData();
    for (const file of files) form.append("files", file, file.name);
    const size = [...files].reduce((sum, each) => sum + each.size, 0);
    setText(said, `Sending ${counted(files.length, "file")}, ${bytes(size)} …`);
    zone.classList.add("sending");
    try {
      const made = await app.api.post(`/gems/${part(choice.value())}/ingestions`, form);
      setText(said, `Sent ${counted(files.length, "file")}. The job is below.`);
      jobs.take(made);
    } catch (error) {
      setText(said, error.detail || String(error));
    } finally {
      zone.classList.remove("sending");
      input.value = "";
    }
  };
  input.addEventListener("change", () => send(input.files));
  for (const name of ["dragenter", "dragover"])
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    send(event.dataTransfer.files);
  });
  const fresh = button(
    "New gem",
    async () => {
      const made = await newGem(app);
      if (!made) return;
      jobs.names.set(made.id, made.name);
      build([made, ...gems], made.id);
    },
    { kind: "secondary" },
  );
  build(gems, params.gem);
  return [h("div.drop-row", {}, h("div.drop-gem", {}, place, fresh), zone), said];
}

async function newGem(app) {
  const name = h("input", { name: "name", required: true, maxlength: "200" });
  const about = h("input", { name: "description" });
  return modal({
    title: "A new gem",
    body: (form) => void form.append(field("Name", name), field("What it is about", about)),
    act: () => app.api.post("/gems", { name: name.value.trim(), description: about.value.trim() }),
    label: "Make it",
  });
}

function jobList(params, app) {
  let state = params.state || "";
  let timer = 0;
  let stopped = false;
  const known = new Map(); // id → row
  const names = new Map(); // of gems, by id
  const list = h("div.jobs");
  const older = h("div");
  const chips = h(
    "div.segments",
    { role: "group", "aria-label": "Which jobs" },
    STATES.map(([value, label]) => {
      const pressed = () => String(state === value);
      const turn = () => {
        state = value;
        app.remember({ state });
        for (const each of chips.children) each.setAttribute("aria-pressed", String(each.dataset.state === value));
        return look(true);
      };
      return button(label, turn, { kind: "quiet", "aria-pressed": pressed(), "data-state": value });
    }),
  );
  const wanted = h("div"); // the job of the address, if it is not in the list
  const element = panel("Jobs", { actions: [chips] });
  element.body.append(wanted, list, older);

  const rowOf = (job) => {
    if (!known.has(job.id))
      known.set(
        job.id,
        jobRow(job, names, app, () => look(false)),
      );
    const row = known.get(job.id);
    row.update(job);
    return row.element;
  };
  const put = (jobs) => {
    const rows = jobs.map(rowOf);
    const same = rows.length === list.children.length && rows.every((row, i) => row === list.children[i]);
    if (!same)
      replace(
        list,
        rows.length
          ? rows
          : state
            ? empty("There is no such job", "Choose another state above.")
            : empty("Nothing was taken in yet", "Drop files above, or send rows to the API."),
      );
  };
  const plan = (jobs) => {
    clearTimeout(timer);
    const busy = jobs.some((each) => each.state === "running" || each.state === "queued");
    if (!stopped) timer = setTimeout(() => look(false), document.hidden ? IDLE_MS : busy ? BUSY_MS : IDLE_MS);
  };
  async function look(anew) {
    if (anew) replace(list);
    const ask = () => app.api.get("/ingestions", { limit: 50, state });
    let found = null;
    if (anew) found = await loading(list, ask, (answer) => void put(answer.items));
    else found = await ask().catch(() => null);
    if (stopped) return;
    if (found !== null && !anew) put(found.items);
    if (found !== null) showOlder(found.next_cursor);
    plan(found?.items ?? []);
  }
  async function openJob(id) {
    if (!known.has(id)) {
      const missing = () => notHere("job", linkButton("See all jobs", "#/ingestion"));
      await loading(wanted, () => app.api.get(`/ingestions/${part(id)}`), rowOf, { lines: 1, missing });
    }
    known.get(id)?.open();
  }
  let olderFrom = null;
  const showOlder = (cursor) => {
    if (cursor === null || olderFrom !== null) return;
    olderFrom = cursor;
    replace(
      older,
      h(
        "div.pages-foot",
        {},
        button(
          "Show older",
          () => {
            const fetchPage = (next) => app.api.get("/ingestions", { limit: 50, state, cursor: next ?? olderFrom });
            return more(older, fetchPage, (items) => items.map(rowOf));
          },
          { kind: "secondary" },
        ),
      ),
    );
  };
  return {
    element,
    names,
    start: async (job) => {
      await look(true);
      if (job) await openJob(job);
    },
    take: (job) => {
      list.querySelector(".state")?.remove();
      list.prepend(rowOf(job));
      plan([job]);
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
