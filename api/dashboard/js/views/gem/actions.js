// What can be done with a gem. What changes anything shows first, in a dry run, what it would change.

import { part } from "../../api.js";
import { h } from "../../dom.js";
import { counted, day, number, whole, words } from "../../format.js";
import { gemChecks, listGems } from "../../gem-choice.js";
import { button, definition, field, linkButton, table } from "../../parts.js";

const MOST_LISTED = 200; // documents to choose from
const MOST_MERGED = 100; // gems at a time
const MOST_NAMED = 12; // in a sentence

export function actions(gem, at, app, reload) {
  const isArchived = gem.archived_at !== null;
  const done = (text) => {
    app.toast(text, "good");
    reload();
  };
  const items = [
    linkButton("Graph", `#/graph?gem=${part(gem.id)}`, "secondary"),
    isArchived ? null : button("Rehearse", () => rehearse(gem, at, app, done), { kind: "secondary" }),
    isArchived
      ? button("Restore", () => app.api.post(`${at}/restore`).then(() => done("It is in use again")), { kind: "secondary" })
      : button("Archive", () => archive(gem, at, app, done), { kind: "secondary" }),
    isArchived ? null : button("Merge", () => merge(gem, at, app, done), { kind: "secondary" }),
    isArchived ? null : button("Split", () => split(gem, at, app, done), { kind: "secondary" }),
    button("Delete", () => remove(gem, at, app), { kind: "secondary" }),
    isArchived ? null : linkButton("Ask", `#/reflect?gem=${part(gem.id)}`),
  ];
  return items.filter(Boolean);
}

async function rehearse(gem, at, app, done) {
  const gain = h("input", { name: "gain", type: "number", min: "0.01", max: "1", step: "0.01", value: "0.3" });
  const body = ({ gain: given }, dry) => ({ gain: Number(given), dry_run: dry });
  const made = await app.rehearse({
    title: `Rehearse ${gem.name}`,
    label: "Rehearse",
    fields: [field("Gain", gain, "How much of what was lost comes back: 0.3 is what a use in an answer counts.")],
    plan: async (values) => rehearsalOutcome(await app.api.post(`${at}/rehearsals`, body(values, true))),
    act: (values) => app.api.post(`${at}/rehearsals`, body(values, false)),
  });
  if (made) done("Rehearsed: it holds more firmly now");
}

function rehearsalOutcome({ before, after, falls_at_before: fell, falls_at_after: falls, partners, passages }) {
  const change = (name) => `${number(before[name], 3)} → ${number(after[name], 3)}`;
  const said = definition([
    ["Coherence", change("coherence")],
    ["Energy (τ)", change("energy")],
    ["Uncertainty", change("uncertainty")],
    ["Falls below 0.1", `${fell ? day(fell) : "never"} → ${falls ? day(falls) : "never"}`],
    ["Passages", passages ? `${counted(passages, "passage")} measured along` : "none is measured"],
  ]);
  if (!partners.length) return said;
  return [said, table({
    caption: "Entangled gems that are strengthened along",
    showCaption: true,
    rows: partners,
    columns: [
      { label: "Gem", head: true, cell: (each) => each.name },
      { label: "Strength", cell: (each) => number(each.strength, 2), align: "end" },
      { label: "Coherence", cell: (each) => `${number(each.before.coherence, 3)} → ${number(each.after.coherence, 3)}`, align: "end" },
    ],
  })];
}

async function archive(gem, at, app, done) {
  const made = await app.ask({
    title: `Archive ${gem.name}?`,
    label: "Archive",
    body: (form) => form.append(h("p", {}, "It becomes read only and is left out of recall over the whole lattice. Nothing is lost; it can be restored at any time.")),
    act: () => app.api.post(`${at}/archive`),
  });
  if (made) done("Archived");
}

async function merge(gem, at, app, done) {
  const others = (await listGems(app.api)).filter((each) => each.id !== gem.id);
  const choice = gemChecks(others, { legend: "Gems whose documents move in", hint: "They are archived afterwards." });
  const body = (dry) => ({ from: choice.value(), dry_run: dry });
  const made = await app.rehearse({
    title: `Merge into ${gem.name}`,
    label: "Merge",
    fields: [choice.element],
    plan: async () => {
      if (others.length === 0) return { missing: "There is no other gem in use." };
      const chosen = choice.value().length;
      if (chosen === 0) return { missing: "Choose the gems that shall be merged into this one." };
      if (chosen > MOST_MERGED) return { missing: `Choose ${MOST_MERGED} at the most; others can be merged afterwards.` };
      return moveOutcome(await app.api.post(`${at}/merges`, body(true)), choice.names());
    },
    act: () => app.api.post(`${at}/merges`, body(false)),
  });
  if (made) done("Merged; the list of gems can undo it");
}

async function split(gem, at, app, done) {
  const { items, next_cursor: others } = await app.api.get(`${at}/documents`, { limit: MOST_LISTED });
  const name = h("input", { name: "name", required: true, maxlength: 200, value: `${gem.name}, part` });
  const boxes = items.map((each) => h("label", {}, h("input", { type: "checkbox", name: `document ${each.id}` }), each.title || each.external_id || each.id));
  const cut = others ? h("p.muted", {}, `These are ${MOST_LISTED} of its documents; the command line splits by source, thread or metadata.`) : null;
  const body = (values, dry) => ({
    name: values.name,
    document_ids: items.map((each) => each.id).filter((id) => values[`document ${id}`]),
    dry_run: dry,
  });
  const made = await app.rehearse({
    title: `Split ${gem.name}`,
    label: "Split",
    fields: [field("Name of the new gem", name), h("fieldset.choices", {}, h("legend", {}, "Documents that move there"), boxes, cut)],
    plan: async (values) => {
      const asked = body(values, true);
      if (items.length === 0) return { missing: "It holds no documents." };
      if (asked.document_ids.length === 0) return { missing: "Choose the documents that shall move." };
      return moveOutcome(await app.api.post(`${at}/splits`, asked));
    },
    act: (values) => app.api.post(`${at}/splits`, body(values, false)),
  });
  if (made) done("Split; the list of gems can undo it");
}

/** Say what would move, out of which gems if several are merged, and what would stay. */
function moveOutcome({ documents, passages, entities, relations, repeated, differing, undoable }, from = []) {
  const moved = [["Documents", documents], ["Passages", passages], ["Entities", entities], ["Relations", relations]];
  const stays = [
    repeated ? `${counted(repeated, "document")} that the other gem holds as well` : null,
    differing.length ? `${counted(differing.length, "document")} of which the other gem has another text: ${listed([...new Set(differing)].sort())}` : null,
  ].filter(Boolean);
  return [
    from.length ? h("p", {}, `Out of ${from.length > 1 ? `${counted(from.length, "gem")}: ` : ""}${listed(from)}.`) : null,
    definition(moved.map(([label, n]) => [label, `${whole(n)} moved`])),
    stays.length ? h("p", {}, `Not moved: ${stays.join("; ")}.`) : null,
    undoing(undoable),
  ];
}

/** Names, of which only the first are told if they are many. */
const listed = (names) =>
  names.length > MOST_NAMED ? `${names.slice(0, MOST_NAMED).join(", ")} and ${counted(names.length - MOST_NAMED, "other")}` : names.join(", ");

const undoing = (undoable) => h("p", { class: undoable ? "" : "bad" }, undoable ? "It can be undone." : "This cannot be undone.");

async function remove(gem, at, app) {
  const made = await app.rehearse({
    title: `Delete ${gem.name}`,
    label: "Delete for good",
    kind: "danger",
    plan: async () => {
      const { rows, undoable } = await app.api.del(at, { dry_run: true });
      return [h("p", {}, "With the gem goes what it holds:"), definition(Object.entries(rows).map(([name, n]) => [words(name), whole(n)])), undoing(undoable)];
    },
    act: () => app.api.del(at, { dry_run: false }),
  });
  if (!made) return;
  app.toast(`${gem.name} is deleted`, "good");
  app.go("#/gems");
}
