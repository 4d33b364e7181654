// The drawing of the graph, on cytoscape: up to some thousand nodes and edges, placed beforehand, moved as one picture.

import cytoscape from "../assets/cytoscape.esm.min.mjs";
import { colour } from "./charts/figure.js";
import { nameNodes } from "./graph-names.js";

const CLOSE = 1.25; // zoom at which a single node is shown
const MANY = 1_500; // elements from which edges are left out while the picture is moved

/**
 * Draw into a host. Returns { show(nodes, edges, places), select(id), focus(ids), fit(), zoom(by), pan(x, y), redraw(), … }.
 *
 * @param {Element} host of a fixed height
 * @param {(id: string) => void} onPick a node is tapped
 */
export function drawGraph(host, onPick) {
  let cy = null;
  let heavy = null;
  let names = null;

  function make(many) {
    names?.end();
    cy?.destroy();
    heavy = many;
    cy = cytoscape({
      container: host,
      style: styles(),
      layout: { name: "preset" },
      minZoom: 0.03,
      maxZoom: 4,
      autoungrabify: true,
      autounselectify: true,
      boxSelectionEnabled: false,
      textureOnViewport: many,
      hideEdgesOnViewport: many,
      hideLabelsOnViewport: many,
      pixelRatio: many ? 1 : "auto",
    });
    cy.on("tap", "node", (event) => onPick(event.target.id()));
    cy.on("mouseover", "node", () => {
      host.style.cursor = "pointer";
    });
    cy.on("mouseout", "node", () => {
      host.style.cursor = "";
    });
    names = nameNodes(cy);
    cy.on("viewport", names.soon);
  }

  function show(nodes, edges, places) {
    const many = nodes.length + edges.length > MANY;
    if (heavy !== many) make(many);
    const wanted = new Map([...nodes.map((each) => toNode(each, places)), ...edges.map(toEdge)].map((each) => [each.data.id, each]));
    cy.batch(() => {
      cy.elements()
        .filter((each) => !wanted.has(each.id()))
        .remove();
      const fresh = [];
      for (const [id, each] of wanted) {
        const there = cy.getElementById(id);
        if (there.empty()) fresh.push(each);
        else there.data(each.data);
      }
      cy.add(fresh);
    });
    names.rank(nodes, edges, places, sizeOf);
    names.name();
  }

  const at = (ids) => cy.collection(ids.map((id) => cy.getElementById(id)).filter((each) => each.nonempty()));
  return {
    show,
    select(id) {
      cy.batch(() => {
        cy.elements(".on, .near").removeClass("on near");
        const node = cy.getElementById(id ?? "");
        if (node.empty()) return;
        node.addClass("on");
        node.connectedEdges().addClass("near");
        node.neighborhood("node").addClass("near");
      });
      names.name();
    },
    /** Bring nodes into the middle. */
    focus(ids) {
      const found = at(ids);
      if (found.nonempty()) cy.fit(found.union(found.neighborhood()), 60);
      if (cy.zoom() > CLOSE) cy.zoom({ level: CLOSE, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
      names.name();
    },
    fit() {
      cy.fit(undefined, Math.min(60, host.clientWidth * 0.12));
      names.name();
    },
    zoom(by) {
      cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
      names.name();
    },
    pan: (x, y) => cy.panBy({ x, y }),
    resize: () => cy?.resize(),
    redraw: () => cy?.style(styles()),
    destroy() {
      names?.end();
      cy?.destroy();
    },
    /** How many elements are drawn, and where one is on the canvas: for tests. */
    facts: (id) => ({
      elements: cy.elements().length,
      zoom: cy.zoom(),
      at: id ? cy.getElementById(id).renderedPosition() : null,
    }),
    /** Which names are shown, how large, and where: for tests. */
    names: () => cy.nodes(".named").map((each) => ({ id: each.id(), ...writtenAt(each) })),
  };
}

/** How high the letters of a name are on the canvas, in px, and where they stand on it. */
function writtenAt(node) {
  const { x1, y1, x2, y2 } = node.renderedBoundingBox({ includeNodes: false, includeOverlays: false, includeLabels: true });
  return { letters: node.numericStyle("font-size") * node.cy().zoom(), box: [x1, y1, x2, y2] };
}

const sizeOf = (each) => (each.kind === "gem" ? 26 + 5 * Math.log2(1 + each.passages) : 7 + 3 * Math.log2(1 + each.amount));

function toNode(each, places) {
  const spot = places.get(each.id);
  const data = { id: each.id, kind: each.kind, label: each.label, size: sizeOf(each), coherence: each.state?.coherence ?? 0 };
  return { group: "nodes", data, position: { ...spot } };
}

const toEdge = ({ id, kind, source, target, weight }) => ({ group: "edges", data: { id, kind, source, target, weight } });

function styles() {
  const [text, muted, line, accent, surface] = ["text", "muted", "line", "accent", "surface"].map((name) => colour(name));
  return [
    {
      selector: "node",
      style: {
        width: "data(size)",
        height: "data(size)",
        color: muted,
        "background-color": muted,
        "font-family": "system-ui, sans-serif",
        "text-valign": "bottom",
        "text-margin-y": 3,
        "text-wrap": "ellipsis",
        "text-outline-color": surface,
        "text-outline-width": 2,
        "overlay-opacity": 0,
        "background-opacity": 0.75,
      },
    },
    {
      selector: "node[kind = 'gem']",
      style: {
        shape: "diamond",
        "background-color": `mapData(coherence, 0, 1, ${colour("future")}, ${colour("coherence")})`,
        "background-opacity": 1,
        "border-width": 2,
        "border-color": colour("coherence"),
        color: text,
        "font-weight": 600,
        "text-outline-width": 3,
        "z-index": 5,
      },
    },
    { selector: "node.named", style: { label: "data(label)" } },
    { selector: "node.above", style: { "text-valign": "top", "text-margin-y": -3 } },
    {
      selector: "edge",
      style: {
        "curve-style": "haystack",
        "haystack-radius": 0,
        width: 1,
        "line-color": line,
        opacity: 0.7,
        "overlay-opacity": 0,
      },
    },
    { selector: "edge[kind = 'holds']", style: { opacity: 0.45 } },
    { selector: "edge[kind = 'related']", style: { width: "mapData(weight, 1, 8, 1.2, 4)", "line-color": muted, opacity: 0.55 } },
    {
      selector: "edge[kind = 'entangled']",
      style: { width: "mapData(weight, 0, 1, 1.5, 9)", "line-color": colour("order"), opacity: 0.65, "line-cap": "round" },
    },
    { selector: "node.near", style: { "background-color": accent, color: text, "background-opacity": 1 } },
    { selector: "edge.near", style: { "line-color": accent, opacity: 0.9 } },
    {
      selector: "node.on",
      style: {
        "background-color": accent,
        "border-width": 4,
        "border-color": accent,
        "background-opacity": 1,
        color: text,
        "z-index": 9,
      },
    },
    {
      selector: "node[kind = 'gem'].near",
      style: {
        "background-color": `mapData(coherence, 0, 1, ${colour("future")}, ${colour("coherence")})`,
        "border-color": accent,
      },
    },
  ];
}
