// What LLMs cost, what may still be spent, and how experiments go.

import { h, renew, replace } from "./dom.js";
import { counted, duration, number, percent, usd, whole } from "./format.js";
import { empty, field, loading, meter, select, table, timeTag } from "./parts.js";

const SPANS = [
  ["1", "Today"],
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
];
const PARTS = [
  ["target", "By target"],
  ["model", "By model"],
  ["key", "By key"],
  ["day", "By day"],
];

/** What was spent, split and added up, and how the budgets stand. Returns { load, refresh }. */
export function costOf(host, budgets, params, app) {
  let by = params.by || "target";
  let days = params.days || "30";
  const holder = h("div.cost");
  const choose = () => {
    app.remember({ by, days });
    load();
  };
  const controls = h(
    "div.inline-fields",
    {},
    field(
      "Span",
      select(
        SPANS,
        days,
        (value) => {
          days = value;
          choose();
        },
        { name: "span" },
      ),
    ),
    field(
      "Split",
      select(
        PARTS,
        by,
        (value) => {
          by = value;
          choose();
        },
        { name: "by" },
      ),
    ),
  );
  host.body.append(controls, holder);
  const ask = () => {
    const since = new Date(Date.now() - (Number(days) - 1) * 86_400_000);
    since.setUTCHours(0, 0, 0, 0);
    return app.api.get("/llm/cost", { by, since: since.toISOString() });
  };
  const render = (found) => {
    replace(budgets.body, budgetList(found.budgets));
    return spendings(found, app);
  };
  const load = () => {
    replace(holder);
    return loading(holder, ask, render);
  };
  async function refresh() {
    const found = await ask().catch(() => null);
    if (found !== null && !app.signal.aborted) renew(holder, render(found));
  }
  return { load, refresh };
}

function spendings(found, app) {
  if (found.items.length === 0) return empty("No LLM was asked in this time", "What each call costs is added up here.");
  const holder = h("div");
  const items = found.items.map((each) => ({
    label: each.part || "without a key",
    value: each.cost_usd,
    text: usd(each.cost_usd),
    colour: "order",
  }));
  app.charts.bars(holder, { label: "Cost", items });
  const columns = [
    { label: found.by === "day" ? "Day (UTC)" : "Part", head: true, cell: (each) => each.part || "without a key" },
    { label: "Calls", align: "end", cell: (each) => whole(each.calls) },
    { label: "Failed", align: "end", cell: (each) => whole(each.failed) },
    {
      label: "Tokens in, out",
      align: "end",
      cell: (each) => `${whole(each.usage.input_tokens)}, ${whole(each.usage.output_tokens)}`,
    },
    { label: "Median", align: "end", cell: (each) => duration(each.seconds_p50) },
    { label: "Slowest 5 %", align: "end", cell: (each) => duration(each.seconds_p95) },
    { label: "Cost", align: "end", cell: (each) => usd(each.cost_usd) },
  ];
  const unpriced = found.items.reduce((sum, each) => sum + each.unpriced, 0);
  const note = unpriced ? `, without ${counted(unpriced, "call")} whose price is not known` : "";
  const sum = h("p.muted", {}, `${usd(found.total_usd)} in all${note}.`);
  return [
    holder,
    sum,
    h(
      "details.options",
      {},
      h("summary", {}, "Calls and tokens"),
      table({ caption: "What was spent", columns, rows: found.items }),
    ),
  ];
}

function budgetList(budgets) {
  if (budgets.length === 0)
    return empty(
      "No budget is set",
      "A budget caps what may be spent by lattice, key, model or target. Set one in the router's settings.",
    );
  const columns = [
    {
      label: "Budget",
      head: true,
      cell: (each) => [each.name, h("small", {}, `per ${each.each}: ${each.subject}`)],
      class: "two-lines",
    },
    {
      label: "Spent",
      cell: (each) =>
        meter(each.limit_usd ? each.spent_usd / each.limit_usd : 1, {
          label: "Share spent",
          colour: each.left_usd <= 0 ? "bad" : "order",
        }),
    },
    { label: "Left", align: "end", cell: (each) => h("span", { class: each.left_usd <= 0 ? "bad" : "" }, usd(each.left_usd)) },
    { label: "Of", align: "end", cell: (each) => `${usd(each.limit_usd)} a ${each.window}` },
    { label: "Whole again", align: "end", cell: (each) => (each.window_end ? timeTag(each.window_end) : "never") },
  ];
  return table({ caption: "Budgets", columns, rows: budgets });
}

/** How experiments go. */
export function showExperiments(host, app) {
  const none = () =>
    empty("No experiment runs", "An experiment splits a model's traffic between targets and shifts it to what users rate well.");
  return loading(
    host.body,
    () => app.api.get("/llm/experiments"),
    (found) => (found.items.length ? found.items.map(experiment) : none()),
  );
}

function experiment(each) {
  const columns = [
    { label: "Variant", head: true, cell: (variant) => variant.name },
    { label: "Rewarded", cell: (variant) => interval(variant) },
    { label: "Ratings", align: "end", cell: (variant) => whole(variant.trials) },
    { label: "Is best", align: "end", cell: (variant) => percent(variant.best) },
    { label: "Traffic", align: "end", cell: (variant) => percent(variant.share) },
  ];
  return h(
    "div",
    {},
    h("h3", {}, `${each.name} · ${each.model} · ${each.method}`),
    table({ caption: each.name, columns, rows: each.variants }),
  );
}

/** Mean reward and its 95 % interval on a line from 0 to 1. */
function interval({ mean_reward: mean, low, high }) {
  const range = h("span.range", { style: { left: `${low * 100}%`, width: `${(high - low) * 100}%` } });
  const dot = h("span.dot", { style: { left: `${mean * 100}%` } });
  return h(
    "span.interval",
    {},
    h("span.interval-line", { "aria-hidden": "true" }, range, dot),
    h("span.number", {}, `${number(mean)} (${number(low)} to ${number(high)})`),
  );
}
