// The dialogs of the alerts view: a rule, a silence, a webhook with its secret.

import { part } from "./api.js";
import { h } from "./dom.js";
import { words } from "./format.js";
import { button, field, select } from "./parts.js";

/** What metrics are called within a sentence. */
export const NAMES = {
  coherence_mean: "mean coherence",
  order_parameter: "the order parameter",
  gems_at_risk: "the number of gems at risk",
  gem_coherence: "a gem's coherence",
  error_rate: "the share of failed requests",
  reflection_p95_s: "the slowest 5 % of reflections",
  recall_p95_s: "the slowest 5 % of recalls",
  cost_usd_per_hour: "the cost of an hour",
  ingestion_lag_s: "the longest wait of an ingestion",
  provider_down: "a target's open breaker",
};
const METRICS = {
  coherence_mean: "Coherence of the gems, mean (0 to 1)",
  order_parameter: "Order parameter (0 to 1)",
  gems_at_risk: "Gems below the threshold of coherence",
  gem_coherence: "Coherence of each gem (0 to 1)",
  error_rate: "Share of requests that fail by our fault",
  reflection_p95_s: "Reflections, slowest 5 % (seconds)",
  recall_p95_s: "Recalls, slowest 5 % (seconds)",
  cost_usd_per_hour: "Cost of LLMs in an hour (US dollars)",
  ingestion_lag_s: "Waiting time of the oldest ingestion (seconds)",
  provider_down: "A target's breaker is open (1) or not (0)",
};
const SPANS = [
  ["3600", "One hour"],
  ["14400", "Four hours"],
  ["86400", "One day"],
  ["604800", "One week"],
];
const SEVERITIES = ["info", "warning", "critical"].map((name) => [name, name]);
const NEW_RULE = {
  name: "",
  metric: "coherence_mean",
  op: "below",
  threshold: 0.2,
  clear_threshold: 0.25,
  for_s: 600,
  severity: "warning",
  enabled: true,
  gem_id: null,
  description: "",
};

const numeric = (name, value, more = {}) =>
  h("input", { type: "number", step: "any", name, value: String(value), required: true, ...more });

/** Make a rule, or change one. Resolves to null if nothing was done. */
export function editRule(app, rule) {
  const was = rule || NEW_RULE;
  const name = h("input", {
    name: "name",
    required: true,
    value: was.name,
    maxlength: "100",
    pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]*",
    disabled: rule !== null,
  });
  const metric = select(Object.entries(METRICS), was.metric, () => {}, { name: "metric" });
  const op = select(
    [
      ["below", "is below"],
      ["above", "is above"],
    ],
    was.op,
    () => {},
    { name: "op" },
  );
  const threshold = numeric("threshold", was.threshold);
  const clear = numeric("clear", was.clear_threshold);
  const forS = numeric("for", was.for_s, { min: "0" });
  const level = select(SEVERITIES, was.severity, () => {}, { name: "severity" });
  const about = h("textarea", { name: "description", rows: "2", maxlength: "2000", value: was.description });
  const body = () => ({
    metric: metric.value,
    op: op.value,
    threshold: Number(threshold.value),
    clear_threshold: Number(clear.value),
    for_s: Number(forS.value),
    severity: level.value,
    enabled: was.enabled,
    gem_id: was.gem_id,
    description: about.value.trim(),
  });
  return app.ask({
    title: rule ? `Rule: ${words(rule.name)}` : "A new rule",
    body: (form) =>
      void form.append(
        field("Name", name, rule ? null : "letters, digits, dots and dashes"),
        field("Looks at", metric),
        h("div.fields", {}, field("Fires if it", op), field("Threshold", threshold), field("Over at", clear)),
        h("div.fields", {}, field("For so many seconds", forS), field("Severity", level)),
        field("What it means, and what helps", about),
      ),
    act: () => app.api.put(`/alerts/rules/${part(name.value.trim())}`, body()),
    label: rule ? "Change it" : "Make it",
  });
}

/** Silence a rule for a while; `alert` says which one and about what. */
export function newSilence(app, alert) {
  const rule = h("input", { name: "rule", value: alert.rule || "", maxlength: "100" });
  const span = select(SPANS, "14400", () => {}, { name: "span" });
  const only = h("input", { type: "checkbox", name: "only", checked: Boolean(alert.subject) });
  const note = h("input", { name: "note", maxlength: "2000" });
  const about = alert.subject ? h("label", {}, only, ` Only about ${alert.subject_name || alert.subject}`) : null;
  const body = () => ({
    for_s: Number(span.value),
    rule: rule.value.trim() || null,
    subject: alert.subject && only.checked ? alert.subject : null,
    note: note.value.trim(),
  });
  return app.ask({
    title: "Silence",
    body: (form) =>
      void form.append(
        ...[
          h("p", {}, "Alerts fire and end all the same; the log and webhooks are not told."),
          field("Rule", rule, "empty is every rule"),
          field("How long", span),
          about,
          field("Why", note),
        ].filter(Boolean),
      ),
    act: () => app.api.post("/alerts/silences", body()),
    label: "Silence",
  });
}

/** Add a webhook, then show its secret, this once. */
export async function newWebhook(app) {
  const url = h("input", { type: "url", name: "url", required: true, maxlength: "2000", placeholder: "https://" });
  const level = select(SEVERITIES, "warning", () => {}, { name: "severity" });
  const about = h("input", { name: "description", maxlength: "2000" });
  const made = await app.ask({
    title: "A new webhook",
    body: (form) =>
      void form.append(
        field("Address", url, "is sent a POST; private addresses need a setting"),
        field("Told from", level),
        field("What it is for", about),
      ),
    act: () =>
      app.api.post("/alerts/webhooks", { url: url.value.trim(), least_severity: level.value, description: about.value.trim() }),
    label: "Add it",
  });
  if (made) await showSecret(app, made.secret);
  return made;
}

function showSecret(app, secret) {
  const copy = button("Copy", () => navigator.clipboard.writeText(secret), { kind: "secondary" });
  return app.ask({
    title: "Keep this secret",
    body: (form) =>
      void form.append(
        h("p", {}, "It verifies the messages of this webhook. It is shown this once."),
        h("p", {}, h("code.secret", {}, secret)),
        copy,
      ),
    act: () => true,
    label: "I have kept it",
    dismissible: false,
  });
}
