// Elements from data. Text is always text: nothing here, and nothing in the views, sets innerHTML.

/**
 * Build an element.
 *
 * @param {string} tag "div", or "div.card.wide#name"
 * @param {object} [props] attributes; `on: {click}` adds listeners, `style: {width}` sets styles (through the CSSOM,
 *   which the page's policy allows), `dataset`, `class`, and properties such as `value`, `checked`, `disabled`.
 *   null, undefined and false leave an attribute out.
 * @param {...(Node|string|number|null|undefined|false|Array)} children
 */
export function h(tag, props, ...children) {
  const [head, ...marks] = tag.split(/(?=[.#])/);
  const element = document.createElement(head);
  return fill(element, marks, props, children);
}

/** Build an SVG element; as `h`. */
export function s(tag, props, ...children) {
  const [head, ...marks] = tag.split(/(?=[.#])/);
  const element = document.createElementNS("http://www.w3.org/2000/svg", head);
  return fill(element, marks, props, children);
}

/** Put children in the place of all that an element holds. */
export function replace(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** As `replace`, for what is shown anew while somebody reads it: focus, opened details and scrolling stay where they were. */
export function renew(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && placeOf(focused, element);
  const opened = [...element.querySelectorAll("details[open]")].map(nameOf);
  const scrolled = [...element.querySelectorAll(".table")].map((each) => [nameOf(each), each.scrollLeft, each.scrollTop]);
  replace(element, ...children);
  for (const each of element.querySelectorAll("details")) if (opened.includes(nameOf(each))) each.open = true;
  for (const each of element.querySelectorAll(".table")) {
    const [, left, top] = scrolled.find(([name]) => name === nameOf(each)) || [];
    if (left || top) each.scrollTo(left, top);
  }
  if (focused) (focused.isConnected ? focused : find(place, element))?.focus({ preventScroll: true });
  return element;
}

const nameOf = (element) =>
  [element.getAttribute("aria-label"), element.getAttribute("href"), element.name, (element.querySelector(":scope > summary") || element).textContent].find(Boolean);

function placeOf(element, within) {
  const alike = [...within.querySelectorAll(element.tagName)];
  return { tag: element.tagName, name: nameOf(element), index: alike.indexOf(element), amount: alike.length };
}

function find({ tag, name, index, amount }, within) {
  const alike = [...within.querySelectorAll(tag)];
  return alike.find((each) => nameOf(each) === name) ?? (alike.length === amount ? alike[index] : undefined);
}

/** Add children to an element. */
export function append(element, ...children) {
  element.append(...flat(children));
  return element;
}

/** Set the text of an element only if it changed, so that nothing is painted or announced twice. */
export function setText(element, text) {
  const said = String(text);
  if (element.textContent !== said) element.textContent = said;
}

const AS_PROPERTIES = new Set(["value", "checked", "disabled", "selected", "indeterminate", "open", "hidden", "htmlFor"]);

function fill(element, marks, props, children) {
  for (const mark of marks) {
    if (mark[0] === ".") element.classList.add(mark.slice(1));
    else element.id = mark.slice(1);
  }
  for (const [name, value] of Object.entries(props || {})) setProp(element, name, value);
  element.append(...flat(children));
  return element;
}

function setProp(element, name, value) {
  if (value === null || value === undefined) return;
  if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (name === "style") for (const [key, each] of Object.entries(value)) element.style.setProperty(key, each);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "class") element.classList.add(...String(value).split(/\s+/).filter(Boolean));
  else if (AS_PROPERTIES.has(name)) element[name] = value;
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false || name.startsWith("aria-")) element.setAttribute(name, String(value));
}

function flat(children) {
  return children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false);
}

let count = 0;

/** Return an id that nothing on the page has yet. */
export function freshId(word) {
  count += 1;
  return `${word}-${count}`;
}
