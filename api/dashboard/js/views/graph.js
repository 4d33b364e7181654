// The graph: gems, what they are about, what relates it, what is entangled; through time; more of it on a click.

import { isMissing, part } from "../api.js";
import { h, replace, setText } from "../dom.js";
import { counted } from "../format.js";
import { asTables, fillAside } from "../graph-aside.js";
import { drawGraph } from "../graph-canvas.js";
import { searchBox, timeSlider, toggle } from "../graph-controls.js";
import { place } from "../graph-layout.js";
import { addLattice, addNeighbours, emptyGraph, visible } from "../graph-model.js";
import { button, empty, linkButton, loading, notHere, page, panel } from "../parts.js";

export const title = "Graph";

const NODES = 1_200;
const MORE = 400; // of one gem, when it is asked for

export async function show(root, params, app) {
  const { body } = page(root, {
    title,
    lead: "Gems, what they are about, and what binds them. Click to see more of a thing; slide to see the past.",
  });
  const host = h("div.graph-view");
  body.append(host);
  const query = { nodes: params.nodes || NODES };
  let view = null;
  await loading(
    host,
    () => app.api.get("/lattice/graph", query),
    (now) => {
      if (now.since === null)
        return empty(
          "There is no gem yet",
          "Ingest something, and its gems, entities and relations appear here.",
          linkButton("Ingest", "#/ingestion"),
        );
      view = graphView(now, params, app);
      return view.element;
    },
    { lines: 12 },
  );
  await view?.start();
  return { close: () => view?.close() };
}

function graphView(now, params, app) {
  const places = new Map();
  let graph = addLattice(emptyGraph(), now);
  let cut = now.cut;
  let chosen = null;
  let asOf = null;
  const kinds = { entities: true, relations: true, entanglements: true };
  const canvas = h("div.graph-canvas", {
    tabindex: "0",
    role: "application",
    "aria-roledescription": "graph",
    "aria-label":
      "The lattice as a graph. Arrow keys move it, plus and minus zoom, zero shows all of it. The search and the table lead to everything in it.",
  });
  const figure = h("figure.chart.graph-figure", { dataset: { chart: "graph" } }, canvas);
  const drawing = drawGraph(canvas, (id) => choose(id, true));
  const aside = panel("Nothing is chosen", { size: "graph-aside" });
  const tables = h("div.graph-tables");
  const count = h("p.muted.graph-count", { "aria-live": "polite" });
  const search = searchBox(
    () => graph,
    (id) => choose(id, false),
    searchService,
  );
  const time = timeSlider(now, params.as_of, load);

  function draw() {
    const { nodes, edges } = visible(graph, kinds);
    place(nodes, edges, places);
    drawing.show(nodes, edges, places);
    drawing.select(chosen);
    const drawn = {
      nodes: nodes.map(({ id, kind, label, gem }) => ({ id, kind, label, gem })),
      edges: edges.map(({ kind, source, target, label }) => ({ kind, source, target, label })),
    };
    figure.lattice = { kind: "graph", data: { ...drawn, asOf, chosen }, facts: drawing.facts, names: drawing.names };
    const gems = nodes.filter((each) => each.kind === "gem").length;
    const said = edges.filter((each) => each.kind !== "holds").length;
    setText(
      count,
      `${counted(gems, "gem")}, ${counted(nodes.length - gems, "entity", "entities")}, ${counted(said, "edge")}${cut ? " (the most prominent; search or click for more)" : ""}`,
    );
    if (tables.parentElement?.open)
      replace(
        tables,
        asTables(nodes, edges, graph, (id) => choose(id, false)),
      );
  }

  async function load(at) {
    asOf = at;
    app.remember({ as_of: at });
    const told = at === null ? now : await app.api.get("/lattice/graph", { nodes: params.nodes || NODES, as_of: at });
    graph = addLattice(emptyGraph(), told);
    cut = told.cut;
    if (!graph.nodes.has(chosen)) chosen = null;
    draw();
    showAside();
  }

  async function choose(id, byPointer) {
    chosen = id;
    const node = graph.nodes.get(id);
    app.remember({ gem: node.kind === "gem" ? id : node.gem, entity: node.kind === "gem" ? null : id });
    drawing.select(id);
    showAside();
    if (!byPointer) drawing.focus([id]);
    await expand(node);
    figure.lattice.data.chosen = id;
  }

  /** Add what the service knows around a node. */
  async function expand(node) {
    const at = asOf === null ? {} : { as_of: asOf };
    const [path, query, add] =
      node.kind === "gem"
        ? ["/lattice/graph", { gem_id: node.id, nodes: 60, ...at }, (told) => addLattice(graph, told)]
        : [
            `/gems/${part(node.gem)}/graph/neighbours`,
            { entity: node.id, nodes: 40, ...at },
            (told) => addNeighbours(graph, node.gem, told),
          ];
    const before = graph.nodes.size;
    const told = await app.api.get(path, query).catch((error) => (error.status === 404 ? null : Promise.reject(error)));
    if (told === null || app.signal.aborted) return;
    add(told);
    draw();
    if (graph.nodes.size > before) app.announce(`${graph.nodes.size - before} more around ${node.label}`);
    showAside();
  }

  /** Choose what the address names, which may have to be asked for first; say so if it is not there. */
  async function chooseWanted() {
    const wanted = params.entity || params.gem;
    showAside();
    if (!wanted) return;
    try {
      if (!graph.nodes.has(wanted) && params.gem) await moreOf(params.gem);
      if (!graph.nodes.has(wanted) && graph.nodes.has(params.gem) && params.entity)
        await expand({ id: params.entity, gem: params.gem, kind: "entity", label: "it" });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    if (graph.nodes.has(wanted)) await choose(wanted, false);
    else replace(aside.body, notHere(params.entity ? "entity" : "gem", linkButton("See the whole graph", "#/graph")));
  }

  async function searchService(text) {
    const told = await app.api.get("/lattice/graph", { name: text, nodes: 200, ...(asOf === null ? {} : { as_of: asOf }) });
    addLattice(graph, told);
    draw();
  }

  const showAside = () => fillAside(aside, graph, chosen, asOf, app, { choose: (id) => choose(id, false), more: moreOf });

  async function moreOf(gem) {
    addLattice(
      graph,
      await app.api.get("/lattice/graph", { gem_id: gem, nodes: MORE, ...(asOf === null ? {} : { as_of: asOf }) }),
    );
    draw();
    drawing.focus([gem]);
    showAside();
  }

  canvas.addEventListener("keydown", (event) => byKeys(event, drawing));
  const toggles = h(
    "fieldset.toggles",
    {},
    h("legend.unseen", {}, "What is shown"),
    Object.keys(kinds).map((name) => toggle(name, kinds, draw)),
  );
  const bar = h("div.graph-bar", {}, search, time.element, toggles);
  const zoom = h(
    "div.graph-zoom",
    {},
    ...[
      ["+", "Zoom in", () => drawing.zoom(1.35)],
      ["−", "Zoom out", () => drawing.zoom(1 / 1.35)],
      ["All", "Show all of it", () => drawing.fit()],
    ].map(([label, name, act]) => button(label, act, { kind: "secondary", "aria-label": name, title: name })),
  );
  figure.append(zoom, legend());
  const details = h("details.options.graph-table", {}, h("summary", {}, "As tables"), tables);
  details.addEventListener("toggle", draw);
  const observer = new ResizeObserver(() => drawing.resize());
  const redraw = () => drawing.redraw();
  return {
    element: [bar, h("div.graph-main", {}, h("div", {}, figure, count), aside), details],
    async start() {
      draw();
      drawing.fit();
      observer.observe(canvas);
      addEventListener("lattice:theme", redraw);
      if (params.as_of) await load(params.as_of).catch((error) => app.toast(error.detail || String(error), "bad"));
      await chooseWanted();
    },
    close() {
      observer.disconnect();
      removeEventListener("lattice:theme", redraw);
      drawing.destroy();
    },
  };
}

function byKeys(event, drawing) {
  const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
  if (step) drawing.pan(...step);
  else if (event.key === "+" || event.key === "=") drawing.zoom(1.25);
  else if (event.key === "-") drawing.zoom(0.8);
  else if (event.key === "0") drawing.fit();
  else return;
  event.preventDefault();
}

function legend() {
  const item = (mark, text) => h("li", {}, h(`span.mark.${mark}`), text);
  return h(
    "ul.graph-legend",
    { "aria-label": "Legend" },
    item("gem", "gem, filled by coherence"),
    item("entity", "entity"),
    item("entangled", "entangled"),
    item("related", "related"),
  );
}
