// One reflection, as it was stored: its answer with citations, its evidence, the axiom, its rating.

import { append, h, setText } from "../dom.js";
import { citedText, evidenceList, loadReflection, markCited, openPassage, pointAt, rating } from "../evidence.js";
import { dayTime } from "../format.js";
import { empty, grounding, linkButton, page, panel, timeTag } from "../parts.js";
import { takenApart } from "./reflect.js";

export const title = "Reflection";

export async function show(root, params, app) {
  const { heading, actions, body } = page(root, { title });
  await loadReflection(app, body, params.id, (reflection) => {
    const again = `#/reflect?${new URLSearchParams({ gem: reflection.gem_id, q: reflection.question })}`;
    setText(heading, reflection.question);
    append(actions, linkButton("Its gem", `#/gems/${reflection.gem_id}`, "secondary"), linkButton("Ask again", again));
    return answered(reflection, app);
  });
}

function answered(reflection, app) {
  const found = panel("Evidence", { size: "third" });
  const open = (passage) => openPassage(app, passage);
  const labels = new Map(reflection.evidence.map((each) => [each.label, each]));
  const cite = (label) => {
    pointAt(found, label);
    open(labels.get(label));
  };
  const said = panel("Answer", { size: "two-thirds" });
  said.body.append(
    h("div.answer", {}, citedText(new Set(labels.keys()), cite).set(reflection.answer)),
    h("p.muted", {}, grounding(reflection.grounding), " asked ", timeTag(reflection.created_at, dayTime)),
    h("div.verdict", {}, rating(app, reflection)),
  );
  const none = empty("It was given no evidence", "Nothing that the gem holds spoke of it.");
  found.body.append(reflection.evidence.length ? evidenceList(reflection.evidence, reflection.gem_id, open) : none);
  markCited(found, reflection.evidence);
  return [said, found, ...takenApart(app, reflection)];
}
