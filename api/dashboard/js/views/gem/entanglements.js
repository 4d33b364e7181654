// The gems that a gem is tied to, and those that it might be.

import { part } from "../../api.js";
import { h, replace } from "../../dom.js";
import { number, signed } from "../../format.js";
import { button, empty, field, loading, meter, panel, table } from "../../parts.js";

export function entanglements(at, params, app) {
  const listed = h("div");
  const suggested = h("div");
  const add = button("Entangle", () => choose(), { kind: "secondary" });
  const note = "A use of this gem also strengthens its partners, by the strength of the tie, one hop far.";
  const element = panel("Entanglements", { size: "half", note, actions: [add] }, listed, suggested);

  const load = () => Promise.all([
    loading(listed, () => app.api.get(`${at}/entanglements`), partners, { lines: 3 }),
    loading(suggested, () => app.api.get(`${at}/entanglements/suggestions`, { limit: 4 }), suggestions, { lines: 2 }),
  ]);

  const set = async (id, strength) => {
    await app.api.post(`${at}/entanglements`, { gem_id: id, strength });
    await load();
  };
  const end = async (id) => {
    await app.api.del(`${at}/entanglements/${part(id)}`);
    await load();
  };

  function partners({ entanglements: found }) {
    return table({
      caption: "Entangled gems",
      rows: found,
      none: empty("It stands alone", "Entangle it with a gem that is used along with it."),
      columns: [
        { label: "Gem", head: true, cell: (each) => h("a", { href: `#/gems/${each.gem_id}` }, each.name) },
        { label: "Strength", cell: (each) => strengthInput(each), class: "tight" },
        { label: "Its coherence", cell: (each) => meter(each.coherence), class: "tight" },
        { label: "Interference", cell: (each) => signed(each.interference, 2), align: "end", class: "wide-only" },
        { label: "", cell: (each) => button("Disentangle", () => end(each.gem_id), { kind: "quiet", "aria-label": `Disentangle from ${each.name}` }), align: "end" },
      ],
    });
  }

  function strengthInput({ gem_id: id, name, strength }) {
    const shown = { type: "number", min: "0", max: "1", step: "0.05", value: String(strength), "aria-label": `Strength with ${name}` };
    return h("input.small", { ...shown, on: { change: (event) => set(id, Number(event.target.value)).catch((error) => app.toast(error.message, "bad")) } });
  }

  function suggestions({ suggestions: found }) {
    if (!found.length) return null;
    const rows = found.map((each) => h("li", {},
      h("a", { href: `#/gems/${each.gem_id}` }, each.name), h("small", {}, ` ${each.reason}`),
      button(`Entangle by ${number(each.strength, 2)}`, () => set(each.gem_id, each.strength), { kind: "quiet", "aria-label": `Entangle with ${each.name} by ${number(each.strength, 2)}` })));
    return [h("h3", {}, "Suggested"), h("ul.plain", {}, rows)];
  }

  async function choose() {
    const { items } = await app.api.get("/gems", { limit: 200, archived: false });
    const others = items.filter((each) => each.id !== params.id);
    await app.ask({
      title: "Entangle with another gem",
      label: "Entangle",
      body: (form) => {
        const gem = h("select", { name: "gem" }, others.map((each) => h("option", { value: each.id }, each.name)));
        const strength = h("input", { name: "strength", type: "number", min: "0.05", max: "1", step: "0.05", value: "0.5" });
        form.append(field("Gem", gem), field("Strength", strength, "From 0 (none) to 1 (a use of one counts as much for the other)."));
        return { gem, strength };
      },
      act: ({ gem, strength }) => set(gem.value, Number(strength.value)),
    });
  }
  return { element, load: () => { replace(listed); replace(suggested); return load(); } };
}
