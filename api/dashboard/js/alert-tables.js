// The rules, silences and webhooks of the alerts view.

import { editRule, NAMES } from "./alert-dialogs.js";
import { part } from "./api.js";
import { h } from "./dom.js";
import { counted, duration, number, short, usd, whole, words } from "./format.js";
import { button, chip, empty, joined, loading, table, timeTag } from "./parts.js";

const SEVERITIES = { info: "accent", warning: "warn", critical: "bad" };
const SHARES = new Set(["coherence_mean", "order_parameter", "gem_coherence", "error_rate", "provider_down"]);

/** A value of a metric in its unit. */
export function measured(metric, value) {
  if (value === null || value === undefined) return "–";
  if (metric.endsWith("_s")) return duration(value);
  if (metric.startsWith("cost_usd")) return usd(value);
  return SHARES.has(metric) ? number(value, 3) : whole(value);
}

const ACTIONS = () => h("span.unseen", {}, "Actions");
/** How bad something is, as a pill. */
export const severity = (name) => chip(name, SEVERITIES[name]);

/** When a rule is beyond its threshold, in words. */
function condition({ metric, op, threshold }) {
  const isUsual = metric === "provider_down" && op === "above" && threshold >= 0 && threshold < 1;
  return isUsual ? "a target's breaker is open" : `${NAMES[metric]} is ${op} ${measured(metric, threshold)}`;
}

/** The rules, each with its switch. `look`: what shows the parts of the view anew. */
export function showRules(host, app, look) {
  const turn = async (rule) => {
    await app.api.put(`/alerts/rules/${part(rule.name)}`, { ...bodyOf(rule), enabled: !rule.enabled });
    await look.rules();
  };
  const remove = async (rule) => {
    const said = rule.built_in
      ? "It came with the service, and will be again as it came."
      : "Its alerts end with it. This cannot be undone.";
    const label = rule.built_in ? "Reset" : "Delete";
    const done = await app.ask({
      title: `${label}: ${words(rule.name)}`,
      body: (form) => void form.append(h("p", {}, said)),
      act: () => app.api.del(`/alerts/rules/${part(rule.name)}`),
      label,
      kind: "danger",
    });
    if (done) await Promise.all([look.rules(), look.firing()]);
  };
  const columns = [
    {
      label: "Rule",
      head: true,
      class: "two-lines",
      cell: (each) => [words(each.name), h("small", {}, short(each.description, 110))],
    },
    { label: "Severity", cell: (each) => severity(each.severity) },
    {
      label: "Fires when",
      class: "prose",
      cell: (each) => `${condition(each)}${each.for_s ? ` for ${duration(each.for_s)}` : ""}`,
    },
    { label: "Over at", align: "end", cell: (each) => measured(each.metric, each.clear_threshold) },
    { label: "On", cell: (each) => onSwitch(each, turn, app) },
    {
      label: ACTIONS(),
      align: "end",
      cell: (each) =>
        joined(
          [
            button(
              "Change",
              async () => {
                if (await editRule(app, each)) await look.rules();
              },
              { kind: "quiet", "aria-label": `Change ${each.name}` },
            ),
            each.built_in && !each.changed
              ? null
              : button(each.built_in ? "Reset" : "Delete", () => remove(each), {
                  kind: "quiet",
                  "aria-label": `${each.built_in ? "Reset" : "Delete"} ${each.name}`,
                }),
          ].filter(Boolean),
          " ",
        ),
    },
  ];
  return loading(
    host.body,
    () => app.api.get("/alerts/rules"),
    (found) => table({ caption: "Rules", columns, rows: found.rules }),
    { lines: 8 },
  );
}

const BODY = ["metric", "op", "threshold", "clear_threshold", "for_s", "severity", "enabled", "gem_id", "description"];

/** What a rule's body is made of. */
const bodyOf = (rule) => Object.fromEntries(BODY.map((name) => [name, rule[name]]));

function onSwitch(rule, turn, app) {
  const input = h("input", {
    type: "checkbox",
    role: "switch",
    checked: rule.enabled,
    "aria-label": `${words(rule.name)} is looked at`,
  });
  input.addEventListener("change", () =>
    turn(rule).catch((error) => {
      input.checked = rule.enabled;
      app.toast(error.detail || String(error), "bad");
    }),
  );
  return input;
}

/** Silences that are not over. */
export function showSilences(host, app, look) {
  const end = (silence) => async () => {
    await app.api.del(`/alerts/silences/${part(silence.id)}`);
    await Promise.all([look.silences(), look.firing()]);
  };
  const columns = [
    { label: "Rule", head: true, cell: (each) => (each.rule ? words(each.rule) : "Every rule") },
    { label: "About", cell: (each) => each.subject || "everything" },
    { label: "Why", cell: (each) => each.note || "–" },
    { label: "Ends", align: "end", cell: (each) => timeTag(each.ends_at) },
    {
      label: ACTIONS(),
      align: "end",
      cell: (each) =>
        button("End", end(each), { kind: "quiet", "aria-label": `End the silence of ${each.rule || "every rule"}` }),
    },
  ];
  const none = empty("Nothing is silenced", "Silence a rule while you work on what it is about.");
  return loading(
    host.body,
    () => app.api.get("/alerts/silences"),
    (found) => table({ caption: "Silences", columns, rows: found.silences, none }),
  );
}

/** Who is told, and how that fared. */
export function showWebhooks(host, app, look) {
  const test = (hook) => async () => {
    const told = await app.api.post(`/alerts/webhooks/${part(hook.id)}/tests`);
    app.toast(
      told.delivered ? `It answered ${told.status}.` : `It was not delivered: ${told.error || told.status}`,
      told.delivered ? "good" : "bad",
    );
    await look.webhooks();
  };
  const remove = (hook) => async () => {
    const said = h("p", {}, "Messages that still wait are dropped. This cannot be undone.");
    const done = await app.ask({
      title: "Delete the webhook",
      body: (form) => void form.append(said),
      act: () => app.api.del(`/alerts/webhooks/${part(hook.id)}`),
      label: "Delete",
      kind: "danger",
    });
    if (done) await look.webhooks();
  };
  const columns = [
    { label: "Address", head: true, class: "two-lines", cell: (each) => [short(each.url, 60), h("small", {}, each.description)] },
    { label: "From", cell: (each) => severity(each.least_severity) },
    { label: "Last", cell: (each) => fared(each) },
    {
      label: ACTIONS(),
      align: "end",
      cell: (each) =>
        joined(
          [
            button("Test", test(each), { kind: "quiet", "aria-label": `Test ${each.url}` }),
            button("Delete", remove(each), { kind: "quiet", "aria-label": `Delete ${each.url}` }),
          ],
          " ",
        ),
    },
  ];
  const none = empty("Nobody is told", "Add an address that takes messages about alerts.");
  return loading(
    host.body,
    () => app.api.get("/alerts/webhooks"),
    (found) => table({ caption: "Webhooks", columns, rows: found.webhooks, none }),
  );
}

function fared(hook) {
  if (hook.disabled_at) return chip("gone", "bad", "It answered that it is gone; it is told no more");
  if (hook.tried_at === null) return chip("not told yet");
  const waiting = hook.waiting ? h("small", {}, ` ${counted(hook.waiting, "message")} waiting`) : null;
  return [chip(hook.delivered ? "delivered" : "failed", hook.delivered ? "good" : "bad", hook.error), waiting];
}
