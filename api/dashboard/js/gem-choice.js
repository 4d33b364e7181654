// Choosing a gem by its name, for views that ask one.

import { h } from "./dom.js";
import { field } from "./parts.js";

const PAGE = 200;
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
    const gem = await api.get(`/gems/${encodeURIComponent(wanted)}`).catch(() => null); // it may be gone
    if (gem !== null) gems.unshift(gem);
  }
  return gems;
}

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
