// What differs in gems between two moments: fields with both values, rows by how many came, went or are others.

import { h } from "../../dom.js";
import { angle, counted, dayTime, number, whole, words } from "../../format.js";
import { chip, definition } from "../../parts.js";

const MOMENT = /^\d{4}-\d\d-\d\dT/;
const MOST = 20; // gems told one by one

export function differences(gems) {
  if (gems.length === 0) return h("p", {}, chip("the same", "good"), " Nothing differs.");
  const told = gems.slice(0, MOST).map((each) => (gems.length === 1 ? [one(each)] : [h("h3", {}, each.name), one(each)]));
  const others = gems.length - MOST;
  return [told, others > 0 ? h("p.muted", {}, `and ${counted(others, "other gem")}`) : null];
}

function one({ change, gem, documents, entities, relations, entanglements, others }) {
  if (change !== null) return h("p", {}, `The whole gem is ${change}.`);
  const fields = Object.entries(gem).map(([name, { before, after }]) => [words(name), `${value(name, before)} → ${value(name, after)}`]);
  const rows = { documents, entities, relations, entanglements, ...others };
  const counts = Object.entries(rows).map(([name, found]) => [words(name), tally(found)]).filter(([, text]) => text);
  return definition([...fields, ...counts]);
}

function tally({ added, removed, changed, states_changed: states = 0 }) {
  const parts = [[added, "added"], [removed, "removed"], [changed, "changed"]].filter(([n]) => n > 0).map(([n, word]) => `${whole(n)} ${word}`);
  if (states > 0) parts.push(`states of ${counted(states, "passage")}`);
  return parts.join(", ");
}

function value(name, found) {
  if (found === null) return "none";
  if (typeof found === "number") return name === "phase" ? angle(found) : number(found, Number.isInteger(found) ? 0 : 3);
  if (typeof found === "string") return MOMENT.test(found) ? dayTime(found) : found || "none";
  return JSON.stringify(found);
}
