// Choosing a gem by its name, for views that ask one; or several.

import { isMissing, part } from "./api.js";
import { freshId, h } from "./dom.js";
import { field } from "./parts.js";

const PAGE = 200;
const FEW = 8; // gems that are found without a filter
const MOST = 1000; // a longer list nobody reads to its end; a link to a gem's own view still chooses it

/** Return the gems that are not archived, newest first, and the one of `wanted` (an id) wherever it stands. */
export async function listGems(api, wanted = null) {
  const gems = [];
  let cursor = null;
  do {
    const found = await api.get("/gems", { archived: false, limit: PAGE, cursor });
    gems.push(...found.items);
    cursor = found.next_cursor;
  } while (cursor !== null && gems.length < MOST);
  if (wanted && !gems.some((gem) => gem.id === wanted)) {
    const gem = await api.get(`/gems/${part(wanted)}`).catch((error) => (isMissing(error) ? null : Promise.reject(error)));
    if (gem !== null) gems.unshift(gem);
  }
  return gems;
}

/** Say whether an address names a gem that is not there. */
export const isGone = (gems, wanted) => Boolean(wanted) && !gems.some((gem) => gem.id === wanted);

/**
 * A labelled choice of gems. Returns { element, value, name(id) }: `value()` is the id chosen, "" for all.
 *
 * @param {object[]} gems as listGems gives them
 * @param {object} options
 * @param {string} [options.chosen] the id to begin with
 * @param {string} [options.all] what stands for all gems; without it one gem must be chosen
 * @param {(id: string) => void} [options.onChange]
 */
export function gemChoice(gems, { chosen = "", all = null, onChange = () => {}, label = "Gem" } = {}) {
  const sorted = [...gems].sort((a, b) => a.name.localeCompare(b.name));
  const known = sorted.some((gem) => gem.id === chosen);
  const first = all === null ? sorted[0]?.id : "";
  const start = known ? chosen : first;
  const options = sorted.map((gem) => h("option", { value: gem.id, selected: gem.id === start }, gem.name));
  if (all !== null) options.unshift(h("option", { value: "", selected: start === "" }, all));
  const select = h("select", { name: "gem", on: { change: () => onChange(select.value) } }, options);
  return {
    element: field(label, select),
    value: () => select.value,
    name: (id) => sorted.find((gem) => gem.id === id)?.name ?? null,
  };
}

/**
 * A box for each gem, with a filter if they are many. Returns { element, value(), names() } of those that are checked,
 * by name; one that the filter hides stays checked.
 */
export function gemChecks(gems, { legend, hint }) {
  const rows = [...gems]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((gem) => {
      const box = h("input", { type: "checkbox", value: gem.id });
      return { gem, box, element: h("label", {}, box, gem.name) };
    });
  const none = h("p.muted", { hidden: true }, "No gem is named so.");
  const note = h("small", { id: freshId("hint") }, hint);
  const boxes = h("div.choices", {}, rows.map((each) => each.element), none);
  const filter = rows.length > FEW ? filterOf(rows, none) : null;
  const chosen = () => rows.filter((each) => each.box.checked).map((each) => each.gem);
  return {
    element: h("fieldset.checks", { "aria-describedby": note.id }, h("legend", {}, legend), filter, boxes, note),
    value: () => chosen().map((gem) => gem.id),
    names: () => chosen().map((gem) => gem.name),
  };
}

function filterOf(rows, none) {
  const filter = h("input", { type: "search", placeholder: "Filter by name", "aria-label": "Filter by name" });
  filter.addEventListener("input", () => {
    const word = filter.value.trim().toLocaleLowerCase();
    for (const { gem, element } of rows) element.hidden = !gem.name.toLocaleLowerCase().includes(word);
    none.hidden = rows.some((each) => !each.element.hidden);
  });
  filter.addEventListener("change", (event) => event.stopPropagation()); // it changes nothing of what is chosen
  filter.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault()); // nor sends it
  return filter;
}
