// What views are made of: headings, panels, tables, states of waiting, emptiness and failure.

import { isAbort, isMissing } from "./api.js";
import { append, freshId, h, renew, replace } from "./dom.js";
import { dayTime, exactTime, NOTHING, number, relative, toDate } from "./format.js";
import { stillWaiting } from "./waiting.js";

export { modal, rehearsal } from "./dialogs.js";

/** Head a view. Returns { element, head, actions, body }; fill body. `actions` are buttons beside the title. */
export function page(root, { title, lead, actions = [] }) {
  const heading = h("h1", { tabindex: "-1" }, title);
  const buttons = h("div.actions", {}, actions);
  const text = h("div", {}, heading, lead ? h("p.lead", {}, lead) : null);
  const body = h("div.page-body");
  replace(root, h("header.page-head", {}, text, buttons), body);
  return { element: root, heading, actions: buttons, body };
}

/**
 * A section with a heading. Returns the element; fill its `body`. `size` is "wide" (all columns), "half" or "third".
 */
export function panel(title, { size = "wide", actions = [], note = null, id = freshId("panel") } = {}, ...children) {
  const body = h("div.panel-body", {}, children);
  const buttons = h("div.actions", {}, actions);
  const head = h("div.panel-head", {}, h("h2", { id: `${id}-title` }, title), buttons);
  const element = h(`section.panel.${size}`, { id, "aria-labelledby": `${id}-title` }, head);
  if (note) element.append(h("p.note", {}, note));
  element.append(body);
  return Object.assign(element, { body, actions: buttons });
}

/**
 * Show that something is on its way, then what it is, or why not, with a button to try again.
 *
 * @param {Element} host filled with what `render` returns (nodes, or nothing if it filled the host itself)
 * @param {() => Promise<T>} work
 * @param {(found: T, host: Element) => any} render
 * @param {{lines?: number, missing?: () => Node}} options how high the waiting state is; what is shown if an id of the
 *   address is the reason, which trying again does not mend
 * @returns {Promise<T|null>} what was found; null if it failed (which is shown) or the view was left
 */
export async function loading(host, work, render, { lines = 3, missing = null } = {}) {
  if (!host.hasChildNodes()) replace(host, skeleton(lines));
  host.setAttribute("aria-busy", "true");
  try {
    const found = await work();
    const made = render(found, host);
    if (made !== undefined) renew(host, made);
    return found;
  } catch (error) {
    if (isAbort(error)) return null;
    const again = () => {
      replace(host);
      return loading(host, work, render, { lines, missing });
    };
    replace(host, missing !== null && isMissing(error) ? missing() : failure(error, again));
    return null;
  } finally {
    host.removeAttribute("aria-busy");
  }
}

/** Bars in the place of what is on its way; they say so if it is long. Without lines, only that. */
export function skeleton(lines = 3) {
  return h("div.skeleton", {}, stillWaiting(), Array.from({ length: lines }, () => h("span")));
}

/** Nothing is there (yet): say what it would be and what to do. */
export function empty(title, text, ...actions) {
  return h("div.state", {}, h("p.state-title", {}, title), text ? h("p", {}, text) : null, actions);
}

/** What an address names is not there: say so once, and where to go. `what`: "gem", "reflection", … */
export function notHere(what, ...ways) {
  const reason = h("p", {}, "It was deleted, or the address is wrong.");
  return h("div.state.failed", { role: "alert" }, h("p.state-title", {}, `This ${what} is not here`), reason, ways);
}

/** Something failed: say what, and what mends it. */
export function failure(error, retry = null) {
  const known = typeof error?.detail === "string";
  const missing = known && error.status === 404 && error.code === "route_not_found";
  const text = known
    ? missing
      ? "This service does not offer it; a newer version may."
      : error.detail
    : "The page met an error of its own. Reload it; if that does not help, tell us what the console says.";
  const id = known && error.requestId ? h("p.muted", {}, "Request ", h("code", {}, error.requestId)) : null;
  const title = { 0: "The service is not reached", 404: "Not found", 503: "Not ready" }[error?.status] || "This failed";
  const again = retry ? button("Try again", retry, { kind: "secondary" }) : null;
  return h("div.state.failed", { role: "alert" }, h("p.state-title", {}, title), h("p", {}, text), id, again);
}

/**
 * A button. An async `onClick` makes it busy until it ends (busy, not disabled: a dialog gives the focus back to it);
 * what it throws is shown beside it.
 * `kind`: "" (primary), "secondary", "quiet" (text only), "danger".
 */
export function button(label, onClick, { kind = "", title = null, disabled = false, ...props } = {}) {
  const element = h("button", { type: "button", title, disabled, class: kind, ...props }, label);
  element.addEventListener("click", async (event) => {
    if (element.hasAttribute("aria-busy")) return;
    try {
      const working = onClick(event);
      if (!(working instanceof Promise)) return;
      element.setAttribute("aria-busy", "true");
      await working;
    } catch (error) {
      if (!isAbort(error)) document.getElementById("toasts").append(errorToast(error));
    } finally {
      element.removeAttribute("aria-busy");
    }
  });
  return element;
}

/** A link that looks like a button; `kind` as of a button. */
export const linkButton = (label, href, kind = "") => h("a.as-button", { href, class: kind }, label);

function errorToast(error) {
  const element = h("div.toast.bad", { role: "alert" }, h("span", {}, error.detail || error.message));
  element.append(h("button.quiet", { type: "button", on: { click: () => element.remove() } }, "Dismiss"));
  return element;
}

/**
 * A table in a region that scrolls by itself.
 *
 * @param {object} options
 * @param {string} options.caption its name, unseen unless `showCaption`
 * @param {{label: string, cell: (row, index) => any, align?: "end", class?: string, head?: boolean}[]} options.columns
 *   `head` makes its cells row headers
 * @param {object[]} options.rows
 * @param {Node} [options.none] shown in the place of a table without rows
 */
export function table({ caption, columns, rows, none = null, showCaption = false }) {
  if (rows.length === 0 && none !== null) return none;
  const head = columns.map((each) => h("th", { scope: "col", class: [each.align, each.class].filter(Boolean).join(" ") }, each.label || h("span.unseen", {}, "Actions")));
  const body = rows.map((row, index) => {
    const cells = columns.map((each) => {
      const classes = [each.align, each.class].filter(Boolean).join(" ");
      const props = each.head ? { scope: "row", class: classes } : { class: classes };
      return h(each.head ? "th" : "td", props, each.cell(row, index));
    });
    return h("tr", {}, cells);
  });
  const named = h("caption", { class: showCaption ? "" : "unseen" }, caption);
  const element = h("table", {}, named, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body));
  return h("div.table", { role: "group", "aria-label": caption, tabindex: "0" }, element);
}

/**
 * Pages by cursor: the first at once, the others by a button.
 *
 * @param {Element} host
 * @param {(cursor: string|null) => Promise<object>} fetchPage answers { [key]: [...], next_cursor }
 * @param {(items: object[]) => any} render called with all items so far
 */
export async function more(host, fetchPage, render, { key = "items", lines = 3 } = {}) {
  const items = [];
  const list = h("div.pages");
  const foot = h("div.pages-foot");
  const next = async (cursor) => {
    const found = await fetchPage(cursor);
    items.push(...found[key]);
    replace(list, render(items));
    const again = button("Show more", () => next(found.next_cursor), { kind: "secondary" });
    replace(foot, found.next_cursor ? again : null);
  };
  return loading(host, () => next(null), () => [list, foot], { lines });
}

/** A time as people say it, with the exact one as its title. `form`: "relative" or a function of format.js. */
export function timeTag(at, form = "relative") {
  const date = toDate(at);
  if (date === null) return NOTHING;
  const text = form === "relative" ? relative(date) : (form || dayTime)(date);
  return h("time", { datetime: date.toISOString(), title: exactTime(date) }, text);
}

/** A word in a pill. `kind`: "", "good", "warn", "bad", "accent". */
export function chip(text, kind = "", title = null) {
  return h(`span.chip`, { class: kind, title }, text);
}

const GROUNDING = {
  grounded: ["good", "Cites what it was given"],
  uncited: ["warn", "Cites nothing"],
  invented: ["bad", "Cites what it was not given"],
  unanswered: ["", "Says that the evidence does not answer"],
};

/** How an answer stands to its evidence, as a pill. */
export function grounding(name) {
  const [kind, title] = GROUNDING[name] || ["", ""];
  return chip(name, kind, title);
}

/** A number with its name: { element, set(text, note) }; the width stays when it changes. */
export function stat(label, value = NOTHING, note = "") {
  const shown = h("dd.stat-value", {}, value);
  const said = h("dd.stat-note", {}, note);
  const element = h("div.stat", {}, h("dt", {}, label), shown, said);
  return {
    element,
    set(text, more = said.textContent) {
      if (shown.textContent !== String(text)) shown.textContent = text;
      if (said.textContent !== more) said.textContent = more;
    },
  };
}

/** Numbers side by side: `stats(a.element, b.element)`. */
export const stats = (...elements) => h("dl.stats", {}, elements);

/** Names and values: `definition([["Name", node], …])`. */
export const definition = (pairs) =>
  h("dl.definition", {}, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

/** A share in [0, 1] as a bar with its number. `colour` is a name of base.css: coherence, uncertainty, … */
export function meter(value, { label, colour = "coherence", digits = 2 } = {}) {
  const share = Math.max(0, Math.min(1, value || 0));
  const bar = h("span.meter-bar", { "aria-hidden": "true" });
  bar.append(h("span", { style: { width: `${share * 100}%`, background: `var(--c-${colour})` } }));
  const unseen = label ? h("span.unseen", {}, `${label} `) : null;
  return h("span.meter", {}, bar, unseen, h("span.number", {}, number(value, digits)));
}

/** A control under its label. */
export function field(label, control, hint = null) {
  if (!control.id) control.id = freshId("field");
  const note = hint ? h("small", { id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div.field", {}, h("label", { for: control.id }, label), control, note);
}

/** A choice: options are [value, label] pairs. */
export function select(options, value, onChange = () => {}, props = {}) {
  const items = options.map(([key, label]) => h("option", { value: key, selected: key === value }, label));
  return h("select", { ...props, on: { change: (event) => onChange(event.target.value) } }, items);
}

/** A list of nodes with something between them. */
export const joined = (nodes, between = ", ") => nodes.flatMap((node, i) => (i === 0 ? [node] : [between, node]));

export { append };
