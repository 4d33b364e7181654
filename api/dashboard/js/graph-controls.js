// How the graph is steered: the search, the slider through time, what is shown.

import { h, replace, setText } from "./dom.js";
import { day, dayTime, words } from "./format.js";
import { find } from "./graph-model.js";
import { field } from "./parts.js";

const STEPS = 400; // of the slider, from the first gem to now
const FOUND = 12; // by the search

/** A box to switch a kind of thing on and off. */
export function toggle(name, kinds, draw) {
  const input = h("input", { type: "checkbox", name, checked: kinds[name] });
  input.addEventListener("change", () => {
    kinds[name] = input.checked;
    draw();
  });
  return h("label", {}, input, words(name));
}

/** Search in what is drawn as it is typed; Enter asks the service for more. */
export function searchBox(graphNow, choose, ask) {
  const input = h("input", {
    type: "search",
    name: "search",
    placeholder: "Find a gem or an entity",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": "graph-found",
    "aria-autocomplete": "list",
    autocomplete: "off",
  });
  const list = h("ul.graph-found#graph-found", { role: "listbox", "aria-label": "Found", hidden: true });
  let at = -1;
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    at = -1;
  };
  const pick = (id) => {
    close();
    choose(id);
  };
  const look = () => {
    const found = find(graphNow(), input.value).slice(0, FOUND);
    const graph = graphNow();
    replace(
      list,
      found.map((each, i) =>
        h(
          "li",
          {
            role: "option",
            id: `graph-found-${i}`,
            dataset: { id: each.id },
            "aria-selected": "false",
            on: { pointerdown: () => pick(each.id) },
          },
          h("span", {}, each.label),
          h("small", {}, each.kind === "gem" ? "gem" : `in ${graph.nodes.get(each.gem)?.label}`),
        ),
      ),
    );
    if (input.value.trim() && found.length === 0)
      replace(
        list,
        h(
          "li.muted",
          { role: "option", "aria-selected": "false", "aria-disabled": "true" },
          "Not drawn. Enter asks the whole lattice.",
        ),
      );
    list.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", String(!list.hidden));
    at = -1;
  };
  const go = (step) => {
    const options = [...list.querySelectorAll("[data-id]")];
    if (options.length === 0) return;
    at = (at + step + options.length) % options.length;
    for (const [i, each] of options.entries()) each.setAttribute("aria-selected", String(i === at));
    input.setAttribute("aria-activedescendant", options[at].id);
  };
  input.addEventListener("input", look);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", async (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      go(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape") close();
    else if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      const option = list.querySelectorAll("[data-id]")[Math.max(0, at)];
      if (option) return pick(option.dataset.id);
      await ask(input.value.trim());
      look();
    }
    return undefined;
  });
  const box = field("Search", input);
  box.classList.add("graph-search");
  box.append(list);
  return box;
}

/** From the first gem to now. What it is turned to is loaded once it rests. */
export function timeSlider(now, start, load) {
  const [from, to] = [new Date(now.since).getTime(), new Date(now.as_of).getTime()];
  const toValue = (at) => Math.round(((new Date(at).getTime() - from) / Math.max(1, to - from)) * STEPS);
  const toMoment = (value) => new Date(from + ((to - from) * value) / STEPS);
  const input = h("input", {
    type: "range",
    name: "as_of",
    min: "0",
    max: String(STEPS),
    step: "1",
    value: String(start ? toValue(start) : STEPS),
  });
  const said = h("output.time-said");
  const tell = () => {
    const value = Number(input.value);
    const text = value >= STEPS ? "now" : dayTime(toMoment(value));
    setText(said, text);
    input.setAttribute("aria-valuetext", text);
  };
  let timer = 0;
  input.addEventListener("input", () => {
    tell();
    clearTimeout(timer);
    timer = setTimeout(() => load(Number(input.value) >= STEPS ? null : toMoment(Number(input.value)).toISOString()), 180);
  });
  tell();
  const box = field("As of", input);
  box.classList.add("graph-time");
  box.append(h("div.time-ends", {}, h("span", {}, day(from / 1000)), said, h("span", {}, day(to / 1000))));
  return { element: box };
}
