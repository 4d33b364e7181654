// The graph as data: what the service told so far, as nodes and edges.

/** Return an empty graph. Nodes: { id, kind: "gem"|"entity", gem, label, … }; edges: { id, kind, source, target, weight, … }. */
export const emptyGraph = () => ({ nodes: new Map(), edges: new Map() });

/** Add a part of the lattice (GET /lattice/graph). */
export function addLattice(graph, told) {
  for (const gem of told.gems) {
    graph.nodes.set(gem.id, { id: gem.id, kind: "gem", gem: null, label: gem.name, state: gem.state, passages: gem.passages });
  }
  for (const each of told.entities) addEntity(graph, each.gem_id, each);
  for (const each of told.relations) addRelation(graph, each);
  for (const each of told.entanglements) {
    const [source, target] = [each.gem_id, each.other_id];
    if (!graph.nodes.has(source) || !graph.nodes.has(target)) continue;
    const id = `${source}~${target}`;
    graph.edges.set(id, { id, kind: "entangled", source, target, weight: each.strength, label: "entangled" });
  }
  return graph;
}

/** Add what is around an entity (GET /gems/{id}/graph/neighbours). */
export function addNeighbours(graph, gem, told) {
  for (const each of told.nodes) addEntity(graph, gem, { id: each.id, name: each.name, kind: null, amount: 1 });
  for (const each of told.edges) {
    addRelation(graph, { ...each, claims: Math.max(each.claims, 0), passages: each.passages });
  }
  return graph;
}

function addEntity(graph, gem, each) {
  if (!graph.nodes.has(gem)) return;
  const before = graph.nodes.get(each.id);
  const amount = Math.max(before?.amount ?? 0, each.amount);
  graph.nodes.set(each.id, {
    id: each.id,
    kind: "entity",
    gem,
    label: each.name,
    type: each.kind ?? before?.type ?? null,
    amount,
  });
  const id = `${gem}>${each.id}`;
  graph.edges.set(id, { id, kind: "holds", source: gem, target: each.id, weight: 0.2, label: "holds" });
}

function addRelation(graph, { source, target, predicates, claims, passages = 0 }) {
  if (!graph.nodes.has(source) || !graph.nodes.has(target)) return;
  const id = source < target ? `${source}-${target}` : `${target}-${source}`;
  const before = graph.edges.get(id);
  const known = new Set([...(before?.predicates ?? []), ...predicates]);
  const label = [...known].sort().join(", ") || "named together";
  graph.edges.set(id, {
    id,
    kind: "related",
    source,
    target,
    weight: Math.max(before?.weight ?? 0, claims || passages || 1),
    predicates: [...known],
    label,
  });
}

/** The part of a graph that is shown: kinds that are switched off are left out, with what hangs on them. */
export function visible(graph, kinds) {
  const nodes = [...graph.nodes.values()].filter((each) => each.kind === "gem" || kinds.entities);
  const there = new Set(nodes.map((each) => each.id));
  const wanted = { holds: kinds.entities, related: kinds.entities && kinds.relations, entangled: kinds.entanglements };
  const edges = [...graph.edges.values()].filter((each) => wanted[each.kind] && there.has(each.source) && there.has(each.target));
  return { nodes, edges };
}

/** Nodes of whose names one has the text in it: gems first, then what is most spoken of. */
export function find(graph, text) {
  const part = text.trim().toLocaleLowerCase();
  if (!part) return [];
  const found = [...graph.nodes.values()].filter((each) => each.label.toLocaleLowerCase().includes(part));
  const worth = (each) => (each.kind === "gem" ? 1e9 : each.amount) + (each.label.toLocaleLowerCase().startsWith(part) ? 1e6 : 0);
  return found.sort((a, b) => worth(b) - worth(a) || a.label.localeCompare(b.label));
}

/** What is bound to a node, by name. */
export function boundTo(graph, id) {
  const found = [];
  for (const each of graph.edges.values()) {
    const other = each.source === id ? each.target : each.target === id ? each.source : null;
    if (other !== null) found.push({ edge: each, node: graph.nodes.get(other) });
  }
  return found.sort((a, b) => b.edge.weight - a.edge.weight || a.node.label.localeCompare(b.node.label));
}
