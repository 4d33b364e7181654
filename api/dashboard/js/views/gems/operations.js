// What was done to whole gems, newest first, with its undoing.

import { h } from "../../dom.js";
import { counted, words } from "../../format.js";
import { button, chip, empty, table, timeTag } from "../../parts.js";

export function operations({ items, operations: named }, app) {
  const undo = async (each) => {
    await app.api.post(`/operations/${each.id}/undo`);
    app.toast(`${words(each.kind)} taken back`, "good");
    app.go("#/gems");
  };
  return table({
    caption: "Operations on gems",
    rows: items || named,
    none: empty("Nothing yet", "Archiving, restoring, merging and splitting gems each leave a line here."),
    columns: [
      { label: "What", head: true, cell: (each) => words(each.kind) },
      { label: "Gems", cell: (each) => gems(each) },
      { label: "When", cell: (each) => timeTag(each.at || each.made_at), class: "tight" },
      { label: "", cell: (each) => (each.undone_at ? chip("undone") : button("Undo", () => undo(each), { kind: "quiet", "aria-label": `Undo: ${words(each.kind)}` })), align: "end" },
    ],
  });
}

function gems({ kind, gem_id: gem, subject_id: subject, facts = {} }) {
  const joins = { merge: "took in", split: "gave off" }[kind];
  const others = joins && facts.others?.length ? ` ${joins} ${facts.others.join(", ")}` : "";
  const moved = facts.documents ? h("small", {}, ` ${counted(facts.documents, "document")}`) : null;
  return [h("a", { href: `#/gems/${gem || subject}` }, facts.gem || "a gem"), others, moved];
}
