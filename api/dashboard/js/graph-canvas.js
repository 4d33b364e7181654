// The drawing of the graph, on cytoscape: up to some thousand nodes and edges, placed beforehand, moved as one picture.

import cytoscape from "../assets/cytoscape.esm.min.mjs";
import { colour } from "./charts/figure.js";

const CLOSE = 1.25; // zoom at which a single node is shown
const LETTERS = 11; // px of the names of gems, about, from afar
const STEP = 1.5; // by which they grow
const WIDEST = 14; // a name, in letters
const MANY = 1_500; // elements from which edges are left out while the picture is moved

/**
 * Draw into a host. Returns { show(nodes, edges, places), select(id), focus(ids), fit(), redraw(), destroy() }.
 *
 * @param {Element} host of a fixed height
 * @param {(id: string) => void} onPick a node is tapped
 */
export function drawGraph(host, onPick) {
  let cy = null;
  let heavy = null;
  let naming = 0;
  let named = 0;

  function make(many) {
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
    cy.on("zoom", nameGems);
  }

  /** Name gems in letters that can be read, the largest first, and none over the name of another. */
  function nameGems() {
    clearTimeout(naming);
    naming = setTimeout(() => {
      if (cy.destroyed()) return;
      const size = Math.max(16, LETTERS * STEP ** Math.round(-Math.log(cy.zoom()) / Math.log(STEP)));
      if (size === named) return; // setting a style draws all anew
      named = size;
      const taken = [];
      const gems = cy.nodes("[kind = 'gem']").sort((a, b) => a.data("rank") - b.data("rank"));
      cy.batch(() =>
        gems.forEach((gem) => {
          const free = takeRoom(taken, gem, size);
          gem.style({ "font-size": size, "text-opacity": free ? 1 : 0, "text-max-width": size * WIDEST });
        }),
      );
    }, 120);
  }

  function show(nodes, edges, places) {
    const many = nodes.length + edges.length > MANY;
    if (heavy !== many) make(many);
    const ranks = new Map(
      nodes
        .filter((each) => each.kind === "gem")
        .sort((a, b) => b.passages - a.passages)
        .map((each, i) => [each.id, i]),
    );
    const wanted = new Map(
      [...nodes.map((each) => toNode(each, places, ranks.get(each.id))), ...edges.map(toEdge)].map((each) => [
        each.data.id,
        each,
      ]),
    );
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
    named = 0; // new ones have none of it
    nameGems();
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
    },
    /** Bring nodes into the middle. */
    focus(ids) {
      const found = at(ids);
      if (found.nonempty()) cy.fit(found.union(found.neighborhood()), 60);
      if (cy.zoom() > CLOSE) cy.zoom({ level: CLOSE, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
    },
    fit: () => cy.fit(undefined, Math.min(60, host.clientWidth * 0.12)),
    zoom: (by) => cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }),
    pan: (x, y) => cy.panBy({ x, y }),
    resize: () => cy?.resize(),
    redraw: () => cy?.style(styles()),
    destroy() {
      clearTimeout(naming);
      cy?.destroy();
    },
    /** How many elements are drawn, and where one is on the canvas: for tests. */
    facts: (id) => ({
      elements: cy.elements().length,
      zoom: cy.zoom(),
      at: id ? cy.getElementById(id).renderedPosition() : null,
    }),
  };
}

/** Take room for a gem's name if no other has taken it; say whether there was any. */
function takeRoom(taken, gem, size) {
  const { x, y } = gem.position();
  const half = (Math.min(gem.data("label").length * 0.62, WIDEST) * size) / 2;
  const low = y + gem.data("size") / 2;
  const box = [x - half, low, x + half, low + size * 1.4];
  const touches = (other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3];
  if (taken.some(touches)) return false;
  taken.push(box);
  return true;
}

function toNode(each, places, rank) {
  const spot = places.get(each.id);
  const size = each.kind === "gem" ? 26 + 5 * Math.log2(1 + each.passages) : 7 + 3 * Math.log2(1 + each.amount);
  const data = { id: each.id, kind: each.kind, label: each.label, size, rank, coherence: each.state?.coherence ?? 0 };
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
        label: "data(label)",
        color: muted,
        "background-color": muted,
        "font-family": "system-ui, sans-serif",
        "font-size": 10,
        "min-zoomed-font-size": 6.5,
        "text-valign": "bottom",
        "text-margin-y": 3,
        "text-max-width": 120,
        "text-wrap": "ellipsis",
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
        "font-size": 16,
        "font-weight": 600,
        "min-zoomed-font-size": 0,
        "text-max-width": 220,
        "text-outline-color": surface,
        "text-outline-width": 3,
        "z-index": 5,
      },
    },
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
