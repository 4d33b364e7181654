// Which names the graph shows: all in letters that can be read, whatever the zoom is, and none over another.

const LETTERS = { gem: 14, entity: 12 }; // px, about
const WIDEST = { gem: 14, entity: 11 }; // a name, in letters; what is longer is cut
const WIDE = { gem: 0.62, entity: 0.56 }; // a letter, of its height
const LINE = 1.3; // of a name, in letters: its height
const BELOW = 3; // a dot is its name, or above it
const STEP = 1.25; // by which letters grow, so that not every turn of a wheel draws all anew
const NEAR = 0.3; // zoom from which entities are named: farther away their dots stand closer than letters
const BEYOND = 0.25; // of the view, around it: there names are there already when the picture is moved
const REST_MS = 120;

/**
 * Return what names the nodes of a graph: { rank(nodes, edges, places), name(), soon(), end() }. Gems come first, the
 * largest first, then entities by their edges; what is chosen comes before all, and what is bound to it before other
 * entities. An entity's name stands below its dot, else above; one that finds no room is left out until there is some.
 */
export function nameNodes(cy) {
  let timer = 0;
  let ranked = []; // of all nodes, in plain numbers: thousands are looked at whenever the view changes

  /** Take over what is drawn now. `size(node)` is that of its dot. */
  function rank(nodes, edges, places, size) {
    const bound = new Map();
    for (const each of edges)
      if (each.kind !== "holds") for (const id of [each.source, each.target]) bound.set(id, (bound.get(id) || 0) + 1);
    const worth = (each) => (each.kind === "gem" ? each.passages : bound.get(each.id) || 0);
    ranked = nodes
      .map((each) => ({ id: each.id, kind: each.kind, label: each.label, size: size(each), worth: worth(each), ...places.get(each.id) }))
      .sort((a, b) => (a.kind === b.kind ? b.worth - a.worth || b.size - a.size : a.kind === "gem" ? -1 : 1));
  }

  function name() {
    clearTimeout(timer);
    if (cy.destroyed()) return;
    const unit = Math.max(1, STEP ** -Math.round(Math.log(cy.zoom()) / Math.log(STEP))); // of the picture, about 1 px
    const [on, near] = [".on", ".near"].map((which) => new Set(cy.nodes(which).map((each) => each.id())));
    const seen = ranked.filter(isWithin(cy.extent())).filter((each) => each.kind === "gem" || cy.zoom() >= NEAR || on.has(each.id));
    const places = placeNames(seen, on, near, unit);
    cy.batch(() => show(places, unit));
  }

  function show(places, unit) {
    cy.nodes(".named").forEach((node) => {
      if (!places.has(node.id())) node.removeClass("named above");
    });
    for (const [id, { kind, isAbove }] of places) {
      const node = cy.getElementById(id);
      const size = LETTERS[kind] * unit;
      node.addClass("named").toggleClass("above", isAbove);
      if (node.scratch("letters") === size) continue; // setting a style draws a node anew
      node.style({ "font-size": size, "text-max-width": size * WIDEST[kind] });
      node.scratch("letters", size);
    }
  }

  return {
    rank,
    name,
    /** Once the view rests. */
    soon() {
      clearTimeout(timer);
      timer = setTimeout(name, REST_MS);
    },
    end: () => clearTimeout(timer),
  };
}

function isWithin({ x1, y1, x2, y2, w, h }) {
  const [dx, dy] = [w * BEYOND, h * BEYOND];
  return ({ x, y }) => x >= x1 - dx && x <= x2 + dx && y >= y1 - dy && y <= y2 + dy;
}

/** Return the nodes that are named, by id, each with whether its name stands above it. */
function placeNames(nodes, on, near, unit) {
  const height = LETTERS.gem * unit;
  const rows = new Map(); // what is taken
  const places = new Map();
  const tryIt = (each) => {
    if (takeRoom(rows, nameBox(each, unit, false), height)) places.set(each.id, { kind: each.kind, isAbove: false });
    else if (each.kind === "entity" && takeRoom(rows, nameBox(each, unit, true), height))
      places.set(each.id, { kind: each.kind, isAbove: true });
  };
  const gems = nodes.filter((each) => each.kind === "gem");
  const entities = nodes.filter((each) => each.kind === "entity");
  for (const each of nodes) if (on.has(each.id)) tryIt(each);
  for (const each of gems) if (!on.has(each.id)) tryIt(each);
  for (const each of gems) keep(rows, bodyBox(each), height);
  for (const each of entities) if (near.has(each.id)) tryIt(each);
  for (const each of entities) if (!near.has(each.id) && !on.has(each.id)) tryIt(each);
  return places;
}

/** Where a node's name stands, as [left, top, right, bottom]. */
function nameBox({ x, y, kind, label, size }, unit, isAbove) {
  const letters = LETTERS[kind] * unit;
  const half = (Math.min(label.length * WIDE[kind], WIDEST[kind]) * letters) / 2;
  const away = size / 2 + BELOW;
  const top = isAbove ? y - away - letters * LINE : y + away;
  return [x - half, top, x + half, top + letters * LINE];
}

/** Where a gem's diamond is that nothing should be written over: the square within it, about. */
function bodyBox({ x, y, size }) {
  const half = size / 3;
  return [x - half, y - half, x + half, y + half];
}

/** Take room if no other has taken it; say whether there was any. What is taken is kept by rows of a height. */
function takeRoom(rows, box, height) {
  const touches = (other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3];
  for (const row of rowsOf(box, height)) if (rows.get(row)?.some(touches)) return false;
  keep(rows, box, height);
  return true;
}

function keep(rows, box, height) {
  for (const row of rowsOf(box, height)) {
    const there = rows.get(row);
    if (there === undefined) rows.set(row, [box]);
    else there.push(box);
  }
}

function rowsOf(box, height) {
  const first = Math.floor(box[1] / height);
  return Array.from({ length: Math.floor(box[3] / height) - first + 1 }, (_, i) => first + i);
}
