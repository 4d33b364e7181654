// Alerts: what fires, who takes care of it, the rules, silences and webhooks.

import { part } from "../api.js";
import { h } from "../dom.js";
import { dayTime, duration, words } from "../format.js";
import { button, chip, empty, field, linkButton, loading, more, notHere, page, panel, table, timeTag } from "../parts.js";
import { editRule, newSilence, newWebhook } from "../alert-dialogs.js";
import { measured, severity, showRules, showSilences, showWebhooks } from "../alert-tables.js";

export const title = "Alerts";

export async function show(root, params, app) {
  const { body } = page(root, { title, lead: "What is beyond a threshold now, what was, and who is told." });
  const firing = panel("Firing", { id: "alerts-firing" });
  const rules = panel("Rules", {
    id: "alerts-rules",
    note: "A value must stay beyond the threshold for a while before it fires, and come back past the second one before it is over.",
  });
  const silences = panel("Silences", {
    id: "alerts-silences",
    size: "half",
    note: "Alerts that are silenced are shown here and delivered nowhere.",
  });
  const webhooks = panel("Webhooks", {
    id: "alerts-webhooks",
    size: "half",
    note: "Messages are signed as Standard Webhooks tell.",
  });
  const past = panel("Past alerts", { id: "alerts-over" });
  body.append(firing, rules, silences, webhooks, past);
  const look = {
    firing: () => showFiring(firing, params, app, look),
    rules: () => showRules(rules, app, look),
    silences: () => showSilences(silences, app, look),
    webhooks: () => showWebhooks(webhooks, app, look),
    past: () => showPast(past, app),
  };
  rules.actions.append(
    button(
      "New rule",
      async () => {
        if (await editRule(app, null)) await look.rules();
      },
      { kind: "secondary" },
    ),
  );
  silences.actions.append(
    button(
      "New silence",
      async () => {
        if (await newSilence(app, {})) await Promise.all([look.silences(), look.firing()]);
      },
      { kind: "secondary" },
    ),
  );
  webhooks.actions.append(
    button(
      "New webhook",
      async () => {
        if (await newWebhook(app)) await look.webhooks();
      },
      { kind: "secondary" },
    ),
  );
  await Promise.all(Object.values(look).map((each) => each()));
  if (params.alert) await pointAt(firing, params.alert, app);
  app.live.subscribe(() => {
    look.firing();
    look.past();
  }, "alert");
}

function showFiring(host, params, app, look) {
  const none = () => empty("Nothing fires", "All that the rules look at is within its bounds.");
  return loading(
    host.body,
    () => app.api.get("/alerts", { state: "firing", limit: 200 }),
    (found) => {
      if (found.items.length === 0) return none();
      return h(
        "ul.alerts",
        {},
        found.items.map((each) => alertCard(each, params, app, look)),
      );
    },
  );
}

/** Lead to the alert that the address names, or say what became of it. */
async function pointAt(host, id, app) {
  const card = host.querySelector(`[data-alert="${CSS.escape(id)}"]`);
  if (card) return card.scrollIntoView({ block: "nearest" });
  const said = h("div");
  host.body.before(said);
  const over = (alert) => h("p", {}, "The alert ", h("b", {}, words(alert.rule)), ` about ${alert.subject_name || "the lattice"} is over, since `, timeTag(alert.resolved_at, dayTime), ".");
  const missing = () => notHere("alert", linkButton("See all alerts", "#/alerts"));
  return loading(said, () => app.api.get(`/alerts/${part(id)}`), over, { lines: 1, missing });
}

function alertCard(alert, params, app, look) {
  const side = alert.op === "below" ? "below" : "above";
  const about = alert.subject_name || "the lattice";
  const head = h(
    "div.alert-head",
    {},
    severity(alert.severity),
    h("b", {}, words(alert.rule)),
    h("span", {}, about),
    alert.silenced ? chip("silenced") : null,
    alert.acknowledged_at ? chip("acknowledged", "good") : null,
  );
  const said = [
    measured(alert.metric, alert.value),
    ` is ${side} `,
    measured(alert.metric, alert.threshold),
    ", since ",
    timeTag(alert.fired_at),
  ];
  const note = alert.acknowledged_at
    ? h("p.muted", {}, "Acknowledged ", timeTag(alert.acknowledged_at), alert.acknowledgement ? `: ${alert.acknowledgement}` : "")
    : null;
  const actions = h(
    "div.actions",
    {},
    button(alert.acknowledged_at ? "New note" : "Acknowledge", () => acknowledge(alert, app, look), {
      kind: "secondary",
      "aria-label": `${alert.acknowledged_at ? "New note" : "Acknowledge"}: ${alert.rule}, ${about}`,
    }),
    button(
      "Silence",
      async () => {
        if (await newSilence(app, alert)) await Promise.all([look.silences(), look.firing()]);
      },
      { kind: "quiet", "aria-label": `Silence ${alert.rule}, ${about}` },
    ),
    gemLink(alert),
  );
  const text = h("div", {}, head, h("p", {}, said), h("p.muted", {}, alert.description), note);
  return h(
    "li",
    { class: alert.severity, dataset: { alert: alert.id, chosen: String(params.alert === alert.id) } },
    text,
    actions,
  );
}

const gemLink = (alert) =>
  alert.metric.startsWith("gem_") && alert.subject ? h("a", { href: `#/gems/${alert.subject}` }, "See the gem") : null;

async function acknowledge(alert, app, look) {
  const note = h("textarea", { name: "note", rows: "3", maxlength: "2000", value: alert.acknowledgement || "" });
  const done = await app.ask({
    title: `Acknowledge: ${words(alert.rule)}`,
    body: (form) => void form.append(h("p", {}, "Tell the others that you take care of it."), field("Note", note)),
    act: () => app.api.post(`/alerts/${part(alert.id)}/acknowledgements`, { note: note.value.trim() }),
    label: "Acknowledge",
  });
  if (done) await look.firing();
}

function showPast(host, app) {
  const columns = [
    { label: "Alert", head: true, cell: (each) => words(each.rule) },
    { label: "Severity", cell: (each) => severity(each.severity) },
    { label: "About", cell: (each) => each.subject_name || "the lattice" },
    { label: "Last value", align: "end", cell: (each) => measured(each.metric, each.value) },
    { label: "Fired", align: "end", cell: (each) => timeTag(each.fired_at, dayTime) },
    { label: "Lasted", align: "end", cell: (each) => duration((new Date(each.resolved_at) - new Date(each.fired_at)) / 1000) },
  ];
  const none = empty("Nothing was beyond its bounds yet", "What is over is listed here.");
  return more(
    host.body,
    (cursor) => app.api.get("/alerts", { state: "resolved", limit: 20, cursor }),
    (items) => table({ caption: "Alerts that are over", columns, rows: items, none }),
  );
}
