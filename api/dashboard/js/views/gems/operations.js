// What was done to whole gems, newest first, with its undoing.

import { part } from "../../api.js";
import { h } from "../../dom.js";
import { counted, words } from "../../format.js";
import { button, chip, empty, joined, more, panel, table, timeTag } from "../../parts.js";

const UNDOING = {
  archive: "The gem is in use again.",
  restore: "The gem is archived again.",
  merge: "What was moved goes back as it is now, and the gems that it came from are in use again.",
  split: "What was moved goes back as it is now; the gem that was split off is deleted if nothing else happened to it, else archived.",
};
const JOINS = { merge: " took in ", split: " gave off " };

/** `changed` is called after an undoing. */
export function operations(app, changed) {
  const note = "Archived, restored, merged, split: each can be undone, unless something later stands against it.";
  const element = panel("What was done to whole gems", { size: "half", note });

  async function undo(each) {
    const made = await app.ask({
      title: `Undo: ${words(each.kind)} ${each.gem}`,
      label: "Undo",
      body: (form) => form.append(h("p", {}, UNDOING[each.kind]), h("p", {}, "What was deleted since stays so. An undoing cannot itself be undone.")),
      act: () => app.api.post(`/operations/${part(each.id)}/undo`),
    });
    if (!made) return;
    app.toast(`${words(each.kind)} undone`, "good");
    changed();
  }

  function list(items) {
    return table({
      caption: "Operations on gems",
      rows: items,
      none: empty("Nothing yet", "Archiving, restoring, merging and splitting gems each leave a line here."),
      columns: [
        { label: "What", head: true, cell: (each) => words(each.kind) },
        { label: "Gems", cell: gems },
        { label: "When", cell: (each) => timeTag(each.made_at), class: "tight" },
        {
          label: "",
          cell: (each) => (each.undone_at ? chip("undone") : button("Undo", () => undo(each), { kind: "quiet", "aria-label": `Undo: ${words(each.kind)} ${each.gem}` })),
          align: "end",
        },
      ],
    });
  }
  const load = () => more(element.body, (cursor) => app.api.get("/operations", { limit: 8, cursor }), list);
  return { element, load };
}

function gems({ kind, gem_id: id, gem, other_ids: ids, others, documents }) {
  const links = others.map((name, i) => h("a", { href: `#/gems/${part(ids[i])}` }, name));
  const moved = JOINS[kind] ? h("small", {}, ` ${counted(documents, "document")}`) : null;
  return [h("a", { href: `#/gems/${part(id)}` }, gem), JOINS[kind], joined(links), moved];
}
