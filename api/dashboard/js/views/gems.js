// All gems with their states, and what was done to them as wholes.

import { h, replace } from "../dom.js";
import { angle, number, short, signed } from "../format.js";
import { button, chip, empty, field, meter, more, page, panel, select, table, timeTag } from "../parts.js";
import { snapshots } from "./gem/snapshots.js";
import { operations } from "./gems/operations.js";

export const title = "Gems";
const SHOWN = { open: false, archived: true, all: null };

export async function show(root, params, app) {
  const make = button("New gem", () => createGem(app));
  const { body } = page(root, { title, lead: "Units of memory: what each holds, how firmly, and since when it was not used.", actions: [make] });
  const list = panel("All gems");
  const again = () => app.go(location.hash);
  const done = operations(app, again);
  const kept = snapshots("/lattice", app, again, { title: "Snapshots of the lattice" });
  const shown = params.show in SHOWN ? params.show : "open";
  const find = h("input", { type: "search", placeholder: "Filter by name", "aria-label": "Filter by name", value: params.q || "" });
  const kind = select([["open", "In use"], ["archived", "Archived"], ["all", "All"]], shown, (value) => {
    app.go(value === "open" ? "#/gems" : `#/gems?show=${value}`);
  }, { "aria-label": "Which gems" });
  list.actions.append(find, kind);
  body.append(list, done.element, kept.element);
  let found = [];
  const host = h("div");
  list.body.append(host);
  const draw = () => {
    const word = find.value.trim().toLowerCase();
    replace(listed, gemTable(found.filter((gem) => gem.name.toLowerCase().includes(word)), none(word)));
  };
  const none = (word) => {
    if (word && found.length) return empty("No gem is named so", "The filter looks at the names of the gems that are listed.");
    if (shown === "archived") return empty("No gem is archived", "A gem that is no longer needed can be archived in its own view.");
    return empty("No gem here", "Make one, and ingest something into it.", button("New gem", () => createGem(app)));
  };
  const listed = h("div");
  find.addEventListener("input", () => {
    app.remember({ q: find.value.trim() });
    draw();
  });
  const query = { limit: 100, ...(SHOWN[shown] === null ? {} : { archived: SHOWN[shown] }) };
  await Promise.all([
    more(host, (cursor) => app.api.get("/gems", { ...query, cursor }), (items) => {
      found = items;
      draw();
      return listed;
    }, { lines: 8 }),
    done.load(),
    kept.load(),
  ]);
}

function gemTable(gems, none) {
  return table({
    caption: "Gems",
    rows: gems,
    none,
    columns: [
      { label: "Gem", head: true, cell: (gem) => [h("a", { href: `#/gems/${gem.id}` }, gem.name), gem.archived_at ? [" ", chip("archived")] : null] },
      { label: "About", cell: (gem) => h("span.muted", {}, short(gem.description, 80)), class: "wide-only" },
      { label: "Coherence", cell: (gem) => meter(gem.state.coherence), class: "tight" },
      { label: "Uncertainty", cell: (gem) => meter(gem.state.uncertainty, { colour: "uncertainty" }), class: "tight wide-only" },
      { label: "Energy (τ)", cell: (gem) => number(gem.state.energy, 2), align: "end", class: "wide-only" },
      { label: "Phase", cell: (gem) => angle(gem.state.phase), align: "end", class: "wide-only" },
      { label: "Feedback", cell: (gem) => (gem.ratings ? signed(gem.feedback, 2) : "none"), align: "end", class: "wide-only" },
      { label: "Last used", cell: (gem) => timeTag(gem.measured_at), class: "tight" },
    ],
  });
}

async function createGem(app) {
  const made = await app.ask({
    title: "New gem",
    label: "Create",
    body: (form) => {
      const name = h("input", { name: "name", required: true, maxlength: 200 });
      const about = h("textarea", { name: "description", rows: 3 });
      form.append(field("Name", name), field("What it is about", about));
      return { name, about };
    },
    act: ({ name, about }) => app.api.post("/gems", { name: name.value, description: about.value }),
  });
  if (made) app.go(`#/gems/${made.id}`);
}
