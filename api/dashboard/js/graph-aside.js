// What the graph tells of what is chosen, and all of it as tables.

import { part } from "./api.js";
import { h, replace, setText } from "./dom.js";
import { openPassage } from "./evidence.js";
import { dayTime, number, short, whole } from "./format.js";
import { boundTo } from "./graph-model.js";
import { button, chip, definition, linkButton, loading, table, timeTag } from "./parts.js";

const GEMS = 20; // that are listed while nothing is chosen

/** Tell of the chosen node, beside the picture. `acts`: { choose(id), more(gem) }. */
export function fillAside(host, graph, chosen, asOf, app, acts) {
  const heading = host.querySelector("h2");
  const node = graph.nodes.get(chosen);
  if (node === undefined) {
    setText(heading, "Nothing is chosen");
    host.dataset.chosen = "";
    const gems = [...graph.nodes.values()].filter((each) => each.kind === "gem").slice(0, GEMS);
    const list = nodeList(
      gems.map((each) => ({ node: each })),
      acts.choose,
      (each) => number(each.node.state.coherence, 2),
    );
    return void replace(
      host.body,
      h("p.muted", {}, "Choose a gem or an entity, in the picture, by the search, or in the tables."),
      h("h3", {}, "The largest gems, and how coherent they are"),
      list,
    );
  }
  if (host.dataset.chosen === chosen && host.dataset.bound === String(boundTo(graph, chosen).length)) return undefined;
  host.dataset.chosen = chosen;
  host.dataset.bound = String(boundTo(graph, chosen).length);
  setText(heading, node.label);
  replace(host.body, node.kind === "gem" ? gemAside(graph, node, asOf, acts) : entityAside(graph, node, app, acts));
  return undefined;
}

function gemAside(graph, gem, asOf, acts) {
  const bound = boundTo(graph, gem.id);
  const facts = [
    ["Coherence", number(gem.state.coherence, 3)],
    ["Energy", number(gem.state.energy, 2)],
    ["Uncertainty", number(gem.state.uncertainty, 3)],
    ["Passages", whole(gem.passages)],
    ...(asOf ? [["As of", timeTag(asOf, dayTime)]] : []),
  ];
  const links = h(
    "div.actions",
    {},
    linkButton("Open", `#/gems/${gem.id}`, "secondary"),
    linkButton("Ask it", `#/reflect?gem=${gem.id}`, "secondary"),
    button("More of it", () => acts.more(gem.id), { kind: "secondary" }),
  );
  const entangled = bound.filter((each) => each.edge.kind === "entangled");
  const about = bound
    .filter((each) => each.edge.kind === "holds")
    .sort((a, b) => b.node.amount - a.node.amount)
    .slice(0, 24);
  return [
    h("p", {}, chip("gem", "accent")),
    definition(facts),
    links,
    entangled.length
      ? [h("h3", {}, "Entangled with"), nodeList(entangled, acts.choose, (each) => number(each.edge.weight, 2))]
      : null,
    h("h3", {}, "Speaks most of"),
    about.length
      ? nodeList(about, acts.choose, (each) => whole(each.node.amount))
      : h("p.muted", {}, "No entity is known of it."),
  ];
}

function entityAside(graph, node, app, acts) {
  const gem = graph.nodes.get(node.gem);
  const bound = boundTo(graph, node.id).filter((each) => each.edge.kind === "related");
  const passages = h("div");
  loading(
    passages,
    () => app.api.get(`/gems/${part(node.gem)}/entities/${part(node.id)}`, { passages: 5 }),
    (found) => mentions(found, gem, app),
    { lines: 3 },
  );
  return [
    h(
      "p",
      {},
      chip(node.type || "entity"),
      " in ",
      button(gem.label, () => acts.choose(gem.id), { kind: "quiet" }),
    ),
    h("h3", {}, "Bound to"),
    bound.length
      ? nodeList(bound.slice(0, 30), acts.choose, (each) => short(each.edge.label, 40))
      : h("p.muted", {}, "Nothing else is known of it."),
    h("h3", {}, "Passages that name it"),
    passages,
  ];
}

function mentions(found, gem, app) {
  if (found.passages.length === 0) return h("p.muted", {}, "None now.");
  const open = (each) => () => openPassage(app, { ...each, gem_id: gem.id });
  return h(
    "ul.mentions",
    {},
    found.passages.map((each) =>
      h(
        "li",
        {},
        h("p", {}, short(each.text, 160)),
        button("In its document", open(each), { kind: "quiet", "aria-label": `In its document: ${short(each.text, 40)}` }),
      ),
    ),
  );
}

const nodeList = (bound, choose, say) =>
  h(
    "ul.bound",
    {},
    bound.map((each) =>
      h(
        "li",
        {},
        button(each.node.label, () => choose(each.node.id), { kind: "quiet" }),
        h("span.muted", {}, say(each)),
      ),
    ),
  );

/** The graph for those who do not see it. */
export function asTables(nodes, edges, graph, choose) {
  const open = (each) => button(each.label, () => choose(each.id), { kind: "quiet" });
  const bound = new Map();
  for (const each of edges)
    for (const id of [each.source, each.target]) if (each.kind !== "holds") bound.set(id, (bound.get(id) || 0) + 1);
  const gems = table({
    caption: "Gems",
    showCaption: true,
    columns: [
      { label: "Gem", head: true, cell: open },
      { label: "Coherence", align: "end", cell: (each) => number(each.state.coherence, 3) },
      { label: "Passages", align: "end", cell: (each) => whole(each.passages) },
      { label: "Entangled with", align: "end", cell: (each) => whole(bound.get(each.id) || 0) },
    ],
    rows: nodes.filter((each) => each.kind === "gem"),
  });
  const entities = table({
    caption: "Entities, the most bound first",
    showCaption: true,
    columns: [
      { label: "Entity", head: true, cell: open },
      { label: "Gem", cell: (each) => graph.nodes.get(each.gem).label },
      { label: "Edges", align: "end", cell: (each) => whole(bound.get(each.id) || 0) },
    ],
    rows: nodes
      .filter((each) => each.kind === "entity")
      .sort((a, b) => (bound.get(b.id) || 0) - (bound.get(a.id) || 0))
      .slice(0, 200),
  });
  const related = table({
    caption: "Edges, the strongest first",
    showCaption: true,
    columns: [
      { label: "From", head: true, cell: (each) => graph.nodes.get(each.source).label },
      { label: "Is", cell: (each) => each.label },
      { label: "To", cell: (each) => graph.nodes.get(each.target).label },
    ],
    rows: edges
      .filter((each) => each.kind !== "holds")
      .sort((a, b) => b.weight - a.weight)
      .slice(0, 200),
  });
  return [gems, entities, related];
}
