// Where nodes stand: gems as discs that do not overlap, entangled ones nearer; entities within the disc of their gem,
// related ones nearer. Computed once, in plain numbers; the same graph gives the same picture.

const GOLDEN = Math.PI * (3 - Math.sqrt(5));
const ENTITY = 44; // room of an entity
const GEM = 46; // and of a gem's own node
const GAP = 50; // between discs
const RING = GEM + ENTITY / 2; // the nearest that an entity stands to its gem
const LETTER = 10; // of a gem's name, which stands below its node; wide
const LETTERS = 14; // of it that are shown
const WIDE = 1 << 20; // cells of a row of the grid
const WORK = 2e6; // steps that placing the gems may take
const ROUNDS = 24; // of pulling and pushing within a gem
const SETTLING = 8; // and of pushing alone

/**
 * Place nodes. Those that `known` has a place for keep it.
 *
 * @param {{id: string, gem: string|null, label: string}[]} nodes gems have no gem of their own
 * @param {{source: string, target: string, kind: string, weight: number}[]} edges
 * @param {Map<string, {x: number, y: number}>} known places so far; it is filled
 */
export function place(nodes, edges, known) {
  const members = new Map(nodes.filter((each) => each.gem === null).map((each) => [each.id, []]));
  for (const node of nodes) if (node.gem !== null && members.has(node.gem)) members.get(node.gem).push(node.id);
  placeGems(
    members,
    edges.filter((each) => each.kind === "entangled"),
    known,
  );
  const related = new Map([...members.keys()].map((gem) => [gem, []]));
  const gemOf = new Map(nodes.map((each) => [each.id, each.gem]));
  const names = new Map(nodes.map((each) => [each.id, each.label]));
  for (const each of edges) if (each.kind === "related") related.get(gemOf.get(each.source))?.push(each);
  for (const [gem, ids] of members) placeEntities({ ids, edges: related.get(gem), name: names.get(gem) }, known.get(gem), known);
  return known;
}

const radius = (count) => GEM + ENTITY * 0.62 * Math.sqrt(count + 1);

function placeGems(members, pairs, known) {
  const discs = [...members].map(([id, ids]) => ({
    id,
    r: radius(ids.length) + GAP / 2,
    fixed: known.has(id),
    ...(known.get(id) || { x: 0, y: 0 }),
  }));
  const fresh = discs.filter((each) => !each.fixed).sort((a, b) => b.r - a.r);
  if (fresh.length === 0) return;
  let taken = discs.filter((each) => each.fixed).reduce((sum, each) => sum + each.r ** 2, 0);
  for (const [i, disc] of fresh.entries()) {
    const away = 1.35 * Math.sqrt(taken); // as if all before it made one disc
    disc.x = away * Math.cos(i * GOLDEN);
    disc.y = away * Math.sin(i * GOLDEN);
    taken += disc.r ** 2;
  }
  const byId = new Map(discs.map((each) => [each.id, each]));
  const springs = pairs.map((each) => [byId.get(each.source), byId.get(each.target), each.weight]).filter(([a, b]) => a && b);
  const rounds = Math.max(8, Math.min(160, Math.floor(WORK / discs.length ** 2)));
  for (let round = 0; round < rounds; round += 1) {
    for (const [a, b, weight] of springs) pull(a, b, (a.r + b.r) * 1.05, 0.12 * weight);
    for (let i = 0; i < discs.length; i += 1) for (let j = 0; j < i; j += 1) push(discs[i], discs[j], discs[i].r + discs[j].r);
  }
  for (const { id, x, y } of discs) known.set(id, { x, y });
}

function placeEntities({ ids, edges, name }, middle, known) {
  const room = { most: radius(ids.length) + ENTITY, name: (Math.min(name.length, LETTERS) * LETTER) / 2 };
  const dots = ids.map((id, i) => {
    const fixed = known.has(id);
    const away = GEM + ENTITY * 0.62 * Math.sqrt(i + 0.5);
    const spot = fixed ? known.get(id) : { x: middle.x + away * Math.cos(i * GOLDEN), y: middle.y + away * Math.sin(i * GOLDEN) };
    return { id, fixed, r: ENTITY / 2, ...spot };
  });
  const byId = new Map(dots.map((each) => [each.id, each]));
  const springs = edges.map((each) => [byId.get(each.source), byId.get(each.target)]).filter(([a, b]) => a && b);
  for (let round = 0; round < ROUNDS + SETTLING; round += 1) {
    if (round < ROUNDS) for (const [a, b] of springs) pull(a, b, ENTITY * 1.6, 0.08);
    pushNeighbours(dots);
    for (const dot of dots) keepWithin(dot, middle, room);
  }
  for (const { id, x, y } of dots) known.set(id, { x, y });
}

/** Push those apart that touch; who may touch is known by a grid. */
function pushNeighbours(dots) {
  const cells = new Map();
  for (const dot of dots) {
    const [i, j] = [Math.floor(dot.x / ENTITY), Math.floor(dot.y / ENTITY)];
    for (let di = -1; di <= 1; di += 1) {
      for (let dj = -1; dj <= 1; dj += 1) {
        const beside = cells.get((i + di) * WIDE + j + dj);
        if (beside !== undefined) for (const other of beside) push(dot, other, ENTITY);
      }
    }
    const key = i * WIDE + j;
    const own = cells.get(key);
    if (own === undefined) cells.set(key, [dot]);
    else own.push(dot);
  }
}

function pull(a, b, rest, strength) {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const apart = Math.hypot(dx, dy) || 1;
  move(a, b, ((apart - rest) / apart) * strength * dx, ((apart - rest) / apart) * strength * dy);
}

function push(a, b, least) {
  let dx = b.x - a.x;
  const dy = b.y - a.y;
  const square = dx * dx + dy * dy;
  if (square >= least * least) return;
  if (square === 0) dx = 0.01;
  const apart = Math.sqrt(square) || 0.01;
  const share = ((apart - least) / apart) * 0.5;
  move(a, b, share * dx, share * dy);
}

/** Move two towards each other by half of (dx, dy) each; one that is fixed stays, and the other goes all the way. */
function move(a, b, dx, dy) {
  const [mine, its] = a.fixed ? [0, b.fixed ? 0 : 1] : b.fixed ? [1, 0] : [0.5, 0.5];
  a.x += dx * mine;
  a.y += dy * mine;
  b.x -= dx * its;
  b.y -= dy * its;
}

/** Keep a dot within the disc, off the gem, and off the name below it. */
function keepWithin(dot, middle, { most, name }) {
  if (dot.fixed) return;
  const dx = dot.x - middle.x;
  let dy = dot.y - middle.y;
  if (Math.abs(dx) < name && dy > 0) dy = Math.max(dy, RING);
  const away = Math.hypot(dx, dy) || 1;
  const wanted = Math.max(RING, Math.min(most, away));
  dot.x = middle.x + (dx / away) * wanted;
  dot.y = middle.y + (dy / away) * wanted;
}
