// What is said where something is waited for and long does not come: once to screen readers, and in every place of it.

import { h, setText } from "./dom.js";

const LONG_MS = 3_000;
const SAID = "Still waiting for the service …";
let watch = null; // while anything is said

/** A line that is empty, and says after a while that it still waits, if it is still there; it goes with what it is in. */
export function stillWaiting() {
  const line = h("span.waiting");
  setTimeout(() => line.isConnected && tell(line), LONG_MS);
  return line;
}

/** Announced beside the line, since what is said inside a region that is busy is not read out; taken back with the last. */
function tell(line) {
  setText(line, SAID);
  if (watch !== null) return;
  const announcer = document.getElementById("announcer");
  setText(announcer, SAID);
  watch = new MutationObserver(() => {
    if (document.querySelector(".waiting:not(:empty)") !== null) return;
    watch.disconnect();
    watch = null;
    if (announcer.textContent === SAID) setText(announcer, "");
  });
  watch.observe(document.body, { childList: true, subtree: true });
}
