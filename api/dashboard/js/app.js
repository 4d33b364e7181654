/*
 * The frame: which view is shown, what every view is given, theme, token, toasts, the state of the stream.
 *
 * HOW A VIEW IS MADE. A view is one module, js/views/NAME.js, with one row in ROUTES below:
 *
 *   import { h } from "../dom.js";
 *   import { loading, page, panel, table } from "../parts.js";
 *   export const title = "Router";
 *   export async function show(root, params, app) {
 *     const { body } = page(root, { title, lead: "Who answers, and what it costs." });
 *     const targets = panel("Targets");              // a <section> with a heading; fill targets.body
 *     body.append(targets);
 *     await loading(targets.body, () => app.api.get("/llm/targets"), (found) => table({ … rows: found.targets }));
 *     app.live.subscribe((snapshot) => …);           // ended for you when the view is left
 *     return { close() { … } };                      // optional: what the signal below does not end
 *   }
 *
 * params: the named parts of the route and the query of the address: "#/graph?gem=…" gives { gem: "…" }.
 * app, made anew for each showing of a view:
 *   app.api      get(path, query), post(path, body), put, patch, del(path, query), send, stream(path, {body, onEvent});
 *                paths are under /api/v1. What fails throws a Problem (status, code, detail). See api.js.
 *   app.live     subscribe(fn, name = "snapshot") → unsubscribe; latest; state. See live.js.
 *   app.charts   line, histogram, heatmap, waterfall, spark, bars, disc: (host, options) → { element, update(options) }.
 *                See charts.js. Each makes a <figure data-chart> with the property lattice = { kind, data }, which
 *                tests read, a fixed height, and a table of its data for those who do not see it.
 *   app.toast(text, kind = "info" | "good" | "bad")     app.announce(text): for screen readers only, politely
 *   app.go(hash)              show another view: app.go(`#/gems/${id}`)
 *   app.remember({ key: value })   change the query of the address without showing the view again (null removes)
 *   app.ask({ title, body, act, label })      a dialog with one action
 *   app.rehearse({ title, plan, act, label }) a dialog that shows a dry run (plan), then offers to do it (act)
 *   app.signal   an AbortSignal that ends with the view; fetches, live and charts obey it already
 *
 * Parts (parts.js): page, panel, loading, skeleton, empty, failure, notHere, table, button, field, chip, stat, meter,
 * timeTag, more (pages by cursor), definition. Numbers and times: format.js. Elements: dom.js (h, s, replace, append, setText).
 * Rules: no innerHTML; no style attributes (style: {…} of h goes through the CSSOM); every control has a name; what is
 * asynchronous is shown by loading() so that it has its waiting, empty and error states (a skeleton says by itself if it
 * is long: waiting.js); nothing jumps: give what is loaded a height that it keeps (CSS min-height, chart height).
 * Styles: css/views.css (or a file of the view's own, linked in page.html); colours only by the variables of base.css.
 */

import { createApi, isAbort, token } from "./api.js";
import { bindCharts } from "./charts.js";
import { h, replace, setText } from "./dom.js";
import { clock, words } from "./format.js";
import { createLive } from "./live.js";
import { button, failure, linkButton, modal, rehearsal, skeleton } from "./parts.js";

const ROUTES = [
  { path: "overview", view: "overview", nav: "Overview" },
  { path: "gems", view: "gems", nav: "Gems" },
  { path: "gems/:id", view: "gem", under: "gems" },
  { path: "graph", view: "graph", nav: "Graph" },
  { path: "reflect", view: "reflect", nav: "Reflect" },
  { path: "reflections/:id", view: "reflection", under: "reflect" },
  { path: "recall", view: "recall", nav: "Recall lab" },
  { path: "router", view: "router", nav: "Router" },
  { path: "ingestion", view: "ingestion", nav: "Ingestion" },
  { path: "alerts", view: "alerts", nav: "Alerts" },
];
const HOME = "#/overview";

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const menu = document.getElementById("menu");
const live = createLive(askForToken);
let shown = null; // { controller, view } of the view on the page
let asking = null; // the promise of the token dialog, so that there is one

function match(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean);
  for (const route of ROUTES) {
    const names = route.path.split("/");
    const fits = names.length === parts.length && names.every((name, i) => name[0] === ":" || name === parts[i]);
    if (!fits) continue;
    const params = Object.fromEntries(new URLSearchParams(query));
    for (const [i, name] of names.entries()) if (name[0] === ":") params[name.slice(1)] = decode(parts[i]);
    return { route, params };
  }
  return null;
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // no such id; the view says so
  }
}

async function showHash() {
  const hash = location.hash.startsWith("#/") ? location.hash : HOME;
  const found = match(hash);
  const controller = new AbortController();
  const wasInside = shown !== null && (main.contains(document.activeElement) || document.activeElement === document.body);
  await leave();
  shown = { controller, view: null };
  closeMenu();
  markNav(found?.route);
  main.scrollTo?.(0, 0);
  scrollTo(0, 0);
  const root = h("div.view", {}, skeleton(0)); // the service may hang before the view itself is there
  replace(main, root);
  if (found === null) {
    setTitle("Nothing here");
    replace(root, notFound(hash));
    return;
  }
  try {
    const module = await import(`./views/${found.route.view}.js`);
    if (controller.signal.aborted) return;
    setTitle(module.title);
    root.dataset.view = found.route.view;
    const showing = module.show(root, found.params, appFor(controller.signal));
    if (wasInside) root.querySelector("h1")?.focus({ preventScroll: true }); // what had the focus is gone
    const view = await showing;
    if (controller.signal.aborted) view?.close?.();
    else shown.view = view;
    root.dataset.shown = ""; // what is loaded first is there: tests wait for it
  } catch (error) {
    if (isAbort(error) || controller.signal.aborted) return;
    console.warn(`the view ${found.route.view} failed:`, error);
    replace(root, failure(error, () => showHash()));
  }
}

async function leave() {
  const left = shown;
  shown = null;
  left?.controller.abort();
  await left?.view?.close?.();
}

function appFor(signal) {
  return {
    api: createApi(askForToken, signal),
    live: liveFor(signal),
    charts: bindCharts(signal),
    signal,
    toast,
    announce,
    go,
    remember,
    ask: modal,
    rehearse: rehearsal,
  };
}

function liveFor(signal) {
  return {
    get latest() {
      return live.latest;
    },
    get state() {
      return live.state;
    },
    subscribe(fn, name) {
      const end = live.subscribe(fn, name);
      signal.addEventListener("abort", end, { once: true });
      return end;
    },
  };
}

function go(hash) {
  if (location.hash === hash) showHash();
  else location.hash = hash;
}

function remember(changes) {
  const [path, query = ""] = (location.hash || HOME).split("?");
  const kept = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") kept.delete(name);
    else kept.set(name, value);
  }
  const text = kept.toString();
  history.replaceState(null, "", text ? `${path}?${text}` : path);
}

function toast(text, kind = "info") {
  const shownToast = h(`div.toast.${kind}`, {}, h("span", {}, text));
  const end = () => shownToast.remove();
  shownToast.append(button("Dismiss", end, { kind: "quiet" }));
  document.getElementById("toasts").append(shownToast);
  if (kind !== "bad") setTimeout(end, 6000); // what went wrong stays until it is dismissed
}

function announce(text) {
  setText(document.getElementById("announcer"), text);
}

function setTitle(text) {
  document.title = `${text} · Crystal Lattice`;
}

function notFound(hash) {
  return h(
    "div.state",
    {},
    h("h1", {}, "There is no such view"),
    h("p", {}, "The address ", h("code", {}, hash), " leads nowhere."),
    linkButton("Go to the overview", HOME),
  );
}

function buildNav() {
  const items = ROUTES.filter((route) => route.nav).map((route) => {
    const link = h("a", { href: `#/${route.path}`, dataset: { view: route.view } }, route.nav);
    if (route.view === "alerts") link.append(h("span.badge#alerts-badge", { hidden: true }));
    return h("li", {}, link);
  });
  replace(nav, h("ul", {}, items));
}

function markNav(route) {
  for (const link of nav.querySelectorAll("a")) {
    if (route && link.dataset.view === (route.under || route.view)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function closeMenu() {
  menu.setAttribute("aria-expanded", "false");
  nav.classList.remove("open");
}

function watchLive() {
  const element = document.getElementById("live-state");
  const badge = document.getElementById("alerts-badge");
  const said = { live: "Live", connecting: "Connecting", offline: "Not live" };
  live.subscribe((state) => {
    element.dataset.state = state;
    setText(element, said[state]);
    element.title = state === "offline" ? "Nothing is heard of this lattice; trying again" : "";
  }, "state");
  live.subscribe((snapshot) => {
    const isAnswered = snapshot.field !== null;
    element.dataset.state = isAnswered ? "live" : "offline";
    setText(element, isAnswered ? said.live : "No database");
    element.title = isAnswered ? `Last update at ${clock(snapshot.at)}` : "The database does not answer the service; trying again";
    const firing = snapshot.alerts?.firing || 0;
    badge.hidden = firing === 0;
    setText(badge, firing || "");
    badge.title = `${firing} firing`;
  });
  live.subscribe((alert) => {
    if (alert.silenced) return;
    const about = alert.subject_name ? ` (${alert.subject_name})` : "";
    const said = { fired: "fires", resolved: "is over", acknowledged: "was acknowledged" }[alert.change] || alert.state;
    toast(`Alert ${words(alert.rule)}${about} ${said}`, alert.state === "resolved" ? "good" : "bad");
  }, "alert");
}

function watchTheme() {
  const theme = document.getElementById("theme");
  const name = () => setText(theme, `Theme: ${globalThis.latticeTheme.chosen}`);
  theme.addEventListener("click", () => globalThis.latticeTheme.turn());
  addEventListener("lattice:theme", name);
  name();
}

/** Ask for LATTICE_API_TOKEN; all who wait for it share one dialog. */
function askForToken() {
  asking ??= modal({
    title: "This lattice asks for a token",
    body: (form) => {
      const input = h("input#token", { type: "password", name: "token", autocomplete: "off", required: true });
      const wrong = token.read() ? h("p.bad", { role: "alert" }, "The token was refused.") : null;
      form.append(
        ...[wrong].filter(Boolean),
        h("p", {}, "It is the value of ", h("code", {}, "LATTICE_API_TOKEN"), " of the service. It stays in this tab."),
        h("label", { for: "token" }, "Token", input),
      );
      return () => token.write(input.value.trim());
    },
    act: (write) => write(),
    label: "Go on",
    dismissible: false,
  }).finally(() => {
    asking = null;
  });
  return asking;
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names the view
  main.focus();
});
menu.addEventListener("click", () => {
  const open = nav.classList.toggle("open");
  menu.setAttribute("aria-expanded", String(open));
});
addEventListener("hashchange", showHash);
buildNav();
watchTheme();
watchLive();
showHash();
