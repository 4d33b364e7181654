// Dialogs: one question with one action, and an action that shows first what it would do.

import { freshId, h, replace } from "./dom.js";
import { failure, skeleton } from "./parts.js";

/**
 * Ask in a dialog. Resolves to what `act` returned, or null if it was closed.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {(form: Element) => any} options.body fills the form; what it returns is given to `act`
 * @param {(given: any) => any} options.act may be async; what it throws is shown and the dialog stays
 * @param {string} options.label of the button that acts
 * @param {"danger"|""} [options.kind]
 * @param {boolean} [options.dismissible] whether it can be closed without acting
 * @param {boolean} [options.tells] that it only tells something: its one button closes it
 */
export function modal({ title, body, act, label, kind = "", dismissible = true, tells = false }) {
  return new Promise((resolve) => {
    const { dialog, content, problem, confirm, finish } = open({ title, label, kind, dismissible, tells }, resolve);
    const given = body(content);
    confirm(async () => {
      replace(problem);
      const result = await act(given);
      finish(result ?? true);
    });
    dialog.querySelector("input, select, textarea")?.focus();
  });
}

/**
 * Show a dry run in a dialog and offer to do it. Resolves to what `act` returned, or null if it was closed.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {(values: object) => Promise<any>} options.plan the dry run: resolves to nodes that say what would happen;
 *   `values` are those of the fields. If it throws, or resolves to { missing: text }, that is shown and nothing can be done.
 * @param {(values: object) => Promise<any>} options.act does it
 * @param {Node[]} [options.fields] controls with a `name`; when one changes the dry run is made again
 * @param {string} options.label of the button that acts
 * @param {"danger"|""} [options.kind]
 */
export function rehearsal({ title, plan, act, fields = [], label, kind = "" }) {
  return new Promise((resolve) => {
    const { dialog, content, problem, confirm, finish, allow } = open({ title, label, kind, dismissible: true }, resolve);
    const outcome = h("div.outcome", { "aria-live": "polite" });
    content.append(...fields, outcome);
    dialog.querySelector("input, select, textarea")?.focus();
    let round = 0;
    const read = () => {
      const named = [...content.querySelectorAll("[name]")].filter((each) => each.type !== "radio" || each.checked);
      return Object.fromEntries(named.map((each) => [each.name, each.type === "checkbox" ? each.checked : each.value]));
    };
    const look = async () => {
      round += 1;
      const mine = round;
      allow(false);
      replace(outcome, skeleton(3));
      try {
        const shown = await plan(read());
        if (mine !== round) return;
        if (shown?.missing) {
          replace(outcome, h("p", {}, shown.missing));
          return;
        }
        replace(outcome, h("p.dry", {}, "Dry run: nothing has been changed yet."), shown);
        allow(true);
      } catch (error) {
        if (mine === round) replace(outcome, failure(error));
      }
    };
    content.addEventListener("change", look);
    confirm(async () => {
      replace(problem);
      finish((await act(read())) ?? true);
    });
    look();
  });
}

function open({ title, label, kind, dismissible, tells = false }, resolve) {
  const content = h("div.dialog-body");
  const problem = h("div");
  const go = h("button", { type: "submit", class: kind }, label);
  const cancel = h("button.secondary", { type: "button" }, "Cancel");
  const form = h("form", {}, content, problem, h("footer", {}, dismissible && !tells ? cancel : null, go));
  const id = freshId("dialog");
  const heading = h("h2", { id }, title);
  const dialog = h("dialog", { "aria-labelledby": id }, h("article", {}, heading, form));
  let isDone = false;
  const finish = (result) => {
    isDone = true;
    dialog.close();
    dialog.remove();
    resolve(result);
  };
  cancel.addEventListener("click", () => finish(null));
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (dismissible) finish(null);
  });
  dialog.addEventListener("close", () => {
    if (isDone) return;
    if (dismissible) finish(null);
    else dialog.showModal(); // a second Escape closes any dialog, whatever became of "cancel"
  });
  document.body.append(dialog);
  dialog.showModal();
  return {
    dialog,
    content,
    problem,
    finish,
    allow: (may) => {
      go.disabled = !may;
    },
    confirm: (work) =>
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        go.setAttribute("aria-busy", "true");
        go.disabled = true;
        try {
          await work();
        } catch (error) {
          replace(problem, failure(error));
        } finally {
          go.removeAttribute("aria-busy");
          go.disabled = false;
        }
      }),
  };
}
