// The router: who answers, how they fare, what it costs and what may still be spent, how experiments go.

import { part } from "../api.js";
import { h, renew, replace } from "../dom.js";
import { counted, duration, usd, whole } from "../format.js";
import { costOf, showExperiments } from "../llm-cost.js";
import { button, chip, empty, loading, page, panel, stat, stats, table } from "../parts.js";

export const title = "Router";

const EVERY_MS = 10_000; // latencies and costs; breakers come by the stream
const BREAKERS = {
  closed: ["good", "Calls go through"],
  half_open: ["warn", "Waits for one call to go well"],
  open: ["bad", "No call goes through"],
};

export async function show(root, params, app) {
  const { body } = page(root, { title, lead: "Who answers, how quickly, and what it costs." });
  const numbers = headline();
  const targets = panel("Targets", {
    note: "As they fare in the process that answers this page. Latency is to the first word where the answer is streamed.",
  });
  const latency = panel("Latency", { size: "half" });
  const cost = panel("Cost", { size: "half" });
  const budgets = panel("Budgets", { size: "half" });
  const experiments = panel("Experiments", { size: "half" });
  body.append(numbers.element, targets, latency, cost, budgets, experiments);
  const shown = targetsOf(targets, latency, app, numbers);
  const money = costOf(cost, budgets, params, app);
  await Promise.all([shown.load(), money.load(), showExperiments(experiments, app)]);
  app.live.subscribe((snapshot) => {
    shown.turn(snapshot.llm.targets);
    numbers.live(snapshot);
  });
  const timer = setInterval(() => {
    if (document.hidden) return;
    shown.refresh();
    money.refresh();
  }, EVERY_MS);
  return { close: () => clearInterval(timer) };
}

function headline() {
  const ready = stat("Targets that answer");
  const busy = stat("Calls under way");
  const hour = stat("Spent in the last hour");
  const today = stat("Spent today");
  const month = stat("Spent this month");
  return {
    element: stats(ready.element, busy.element, hour.element, today.element, month.element),
    targets(all) {
      const open = all.filter((each) => each.enabled && each.breaker !== "open").length;
      ready.set(`${open} of ${all.length}`);
      today.set(usd(all.reduce((sum, each) => sum + each.spent_today_usd, 0)), "since midnight UTC");
      month.set(usd(all.reduce((sum, each) => sum + each.spent_month_usd, 0)), "since the first, UTC");
      busy.set(whole(all.reduce((sum, each) => sum + each.busy, 0)));
    },
    live(snapshot) {
      busy.set(whole(snapshot.llm.targets.reduce((sum, each) => sum + each.busy, 0)));
      hour.set(usd(snapshot.llm.cost_usd_last_hour), "of all targets");
    },
  };
}

function targetsOf(host, chartHost, app, numbers) {
  let found = null;
  let chart = null;
  const render = () => {
    numbers.targets(found.targets);
    return [targetTable(found.targets, app, refresh), modelTable(found.models)];
  };
  const draw = () => {
    const items = found.targets
      .filter((each) => each.samples > 0)
      .flatMap((each) => [
        { label: `${each.name}, median`, value: each.latency_p50_s, text: duration(each.latency_p50_s), colour: "coherence" },
        {
          label: `${each.name}, slowest 5 %`,
          value: each.latency_p95_s,
          text: duration(each.latency_p95_s),
          colour: "uncertainty",
        },
      ]);
    if (items.length === 0)
      return void replace(
        chartHost.body,
        empty("No LLM answered lately", "Percentiles are of the last five minutes. Answers that are put together from passages ask no LLM."),
      );
    if (chart === null || !chart.element.isConnected) {
      replace(chartHost.body);
      chart = app.charts.bars(chartHost.body, { label: "Latency of each target", items });
    } else chart.update({ items });
    return undefined;
  };
  async function refresh() {
    found = await app.api.get("/llm/targets").catch(() => found);
    if (found === null || app.signal.aborted) return;
    renew(host.body, render());
    draw();
  }
  return {
    refresh,
    async load() {
      await loading(
        host.body,
        () => app.api.get("/llm/targets"),
        (answer) => {
          found = answer;
          return render();
        },
      );
      if (found !== null) draw();
    },
    /** Breakers as the stream tells them, in place. */
    turn(pulses) {
      for (const each of pulses) {
        const cell = host.querySelector(`[data-target="${CSS.escape(each.name)}"]`);
        if (cell && cell.dataset.breaker !== breakerName(each))
          replace(cell, breakerChip(each)).dataset.breaker = breakerName(each);
      }
    },
  };
}

const breakerName = (target) => (target.enabled ? target.breaker : "off");

function breakerChip(target) {
  if (!target.enabled) return chip("switched off", "", "An operator switched it off");
  const [kind, said] = BREAKERS[target.breaker];
  return chip(target.breaker.replace("_", " "), kind, said);
}

function targetTable(targets, app, refresh) {
  const columns = [
    {
      label: "Target",
      head: true,
      cell: (each) => [each.name, h("small", {}, [each.provider, each.model].filter(Boolean).join(" · "))],
      class: "two-lines",
    },
    {
      label: "Breaker",
      cell: (each) => h("span", { dataset: { target: each.name, breaker: breakerName(each) } }, breakerChip(each)),
    },
    { label: "Median", align: "end", cell: (each) => duration(each.latency_p50_s) },
    { label: "Slowest 5 %", align: "end", cell: (each) => duration(each.latency_p95_s) },
    { label: "Calls", align: "end", cell: (each) => whole(each.calls) },
    { label: "Failed", align: "end", cell: (each) => (each.failures ? h("span.bad", {}, whole(each.failures)) : "0") },
    { label: "Today", align: "end", cell: (each) => usd(each.spent_today_usd) },
    { label: "Month", align: "end", cell: (each) => usd(each.spent_month_usd) },
    {
      label: "In, out per million",
      align: "end",
      class: "wide-only",
      cell: (each) => (each.prices ? `${usd(each.prices.input_usd)}, ${usd(each.prices.output_usd)}` : each.local ? "free" : "–"),
    },
    { label: h("span.unseen", {}, "Actions"), align: "end", cell: (each) => switchButton(each, app, refresh) },
  ];
  return table({ caption: "LLM targets", columns, rows: targets });
}

function switchButton(target, app, refresh) {
  const verb = target.enabled ? "disable" : "enable";
  const label = target.enabled ? "Switch off" : "Switch on";
  const act = () => app.api.post(`/llm/targets/${part(target.name)}/${verb}`);
  const ask = async () => {
    const said = target.enabled
      ? "It is asked no more until it is switched on again; calls under way end. Other processes follow within seconds."
      : "It is asked again, in the order of its models.";
    const done = await app.ask({
      title: `${label}: ${target.name}`,
      body: (form) => void form.append(h("p", {}, said)),
      act,
      label,
      kind: target.enabled ? "danger" : "",
    });
    if (done) await refresh();
  };
  return button(label, ask, { kind: "quiet", "aria-label": `${label} ${target.name}` });
}

function modelTable(models) {
  const columns = [
    { label: "Model", head: true, cell: (each) => each.name },
    { label: "Policy", cell: (each) => each.policy.replaceAll("_", " ") },
    { label: "Asked in this order", cell: (each) => each.targets.join(" → ") },
    { label: "Experiment", cell: (each) => each.experiment ?? "–" },
  ];
  return h(
    "details.options",
    {},
    h("summary", {}, counted(models.length, "model")),
    table({ caption: "Models", columns, rows: models }),
  );
}
