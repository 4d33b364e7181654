// Snapshots of a gem or of the lattice: taken, compared with what is now, verified, restored after a dry run.

import { part } from "../../api.js";
import { h, replace } from "../../dom.js";
import { bytes, counted, dayTime, words } from "../../format.js";
import { button, chip, empty, field, loading, more, panel, table, timeTag } from "../../parts.js";
import { differences } from "./differences.js";

/** `at` is "/gems/{id}" or "/lattice"; `changed` is called after a restore. */
export function snapshots(at, app, changed, { title = "Snapshots", size = "half" } = {}) {
  const host = h("div");
  const take = button("Take one", () => create(), { kind: "secondary" });
  const note = "A snapshot keeps all that is held, each content once. Restoring one keeps the present in another first.";
  const element = panel(title, { size, note, actions: [take] }, host);
  const path = (each) => `/snapshots/${part(each.id)}`;
  const load = () => {
    replace(host);
    return more(host, (cursor) => app.api.get(`${at}/snapshots`, { limit: 8, cursor }), list);
  };

  function list(items) {
    return table({
      caption: title,
      rows: items,
      none: empty("None yet", "Take one before a change that you may regret."),
      columns: [
        { label: "Taken", head: true, cell: (each) => [timeTag(each.taken_at, dayTime), each.reason === "safety" ? [" ", chip("before a restore")] : null] },
        { label: "Note", cell: (each) => each.note },
        { label: "Holds", cell: holds },
        { label: "", cell: buttons, align: "end" },
      ],
    });
  }

  const buttons = (each) => h("div.actions", {}, [["Compare", compare], ["Verify", verify], ["Restore", restore], ["Delete", remove]].map(
    ([label, act]) => button(label, () => act(each), { kind: "quiet", "aria-label": `${label} the snapshot of ${dayTime(each.taken_at)}` })));

  async function create() {
    const made = await app.ask({
      title: "Take a snapshot",
      label: "Take it",
      body: (form) => {
        const text = h("input", { name: "note", maxlength: 1000 });
        form.append(field("Note", text, "What it is for, for whoever finds it."));
        return text;
      },
      act: (text) => app.api.post(`${at}/snapshots`, { note: text.value }),
    });
    if (!made) return;
    app.toast("Snapshot taken", "good");
    await load();
  }

  const compare = (each) => app.ask({
    title: `What changed since ${dayTime(each.taken_at)}`,
    label: "Close",
    tells: true,
    body: (form) => {
      const told = h("div.outcome");
      form.append(told);
      loading(told, () => app.api.get(`${path(each)}/diff`, { against: "live" }), ({ gems }) => differences(gems), { lines: 4 });
    },
    act: () => true,
  });

  async function verify(each) {
    const { sound, contents, problem_count: count, problems } = await app.api.post(`${path(each)}/verifications`);
    if (sound) app.toast(`Sound: ${counted(contents, "content")} as they were written`, "good");
    else app.toast(`Damaged: ${counted(count, "problem")}, first ${words(problems[0].problem)} ${problems[0].name || ""}`, "bad");
  }

  async function restore(each) {
    const made = await app.rehearse({
      title: `Restore what was on ${dayTime(each.taken_at)}`,
      label: "Restore",
      plan: async () => {
        const { gems } = await app.api.post(`${path(each)}/restores`, { dry_run: true });
        return [differences(gems), h("p", {}, "The present is kept in a snapshot first, so this can be taken back.")];
      },
      act: () => app.api.post(`${path(each)}/restores`, { dry_run: false }),
    });
    if (!made) return;
    app.toast("Restored; the present was kept in a snapshot first", "good");
    changed();
  }

  async function remove(each) {
    const made = await app.ask({
      title: `Delete the snapshot of ${dayTime(each.taken_at)}?`,
      label: "Delete for good",
      kind: "danger",
      body: (form) => form.append(h("p", {}, "This cannot be undone. What it is a snapshot of stays as it is.")),
      act: () => app.api.del(path(each)),
    });
    if (made) await load();
  }
  return { element, load };
}

const holds = ({ gem_count: gems, documents, passages, size_bytes: size }) =>
  [gems > 1 ? counted(gems, "gem") : null, counted(documents, "document"), counted(passages, "passage"), bytes(size)].filter(Boolean).join(", ");
