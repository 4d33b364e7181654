// One stream of the lattice for the whole page: the newest snapshot, and alerts as they happen.

import { Problem, createApi } from "./api.js";

const SILENCE_MS = 45_000; // pings come every 15 s
const LATE_MS = 10_000; // without a snapshot, unless they come more seldom than every third of that
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/**
 * Return the stream. It runs while somebody listens and the page is seen.
 *
 * subscribe(fn, name = "snapshot") → unsubscribe: fn(data) is called for each event of that name, and at once with the
 * newest snapshot if one is known; the name "state" tells "live", "connecting" or, also while snapshots stay away, "offline".
 */
export function createLive(askForToken) {
  const api = createApi(askForToken);
  const listeners = new Map(); // name → Set of functions
  let latest = null;
  let lastId = null;
  let state = "connecting";
  let running = null; // AbortController of the connection
  let heardAt = null; // when the last snapshot of this connection came
  let late = 0;

  const tell = (name, data) => {
    for (const each of [...(listeners.get(name) || [])]) each(data);
  };
  const turn = (next) => {
    if (next === state) return;
    state = next;
    tell("state", state);
  };

  function hear(event) {
    if (event.id !== null) lastId = event.id;
    if (event.name === "snapshot") {
      latest = event.data;
      expectNext();
    }
    turn("live");
    tell(event.name, event.data);
  }

  /** Know it if the next snapshot does not come: how often they do is known from the second on. */
  function expectNext() {
    const now = performance.now();
    clearTimeout(late);
    if (heardAt !== null) late = setTimeout(() => turn("offline"), Math.max(LATE_MS, 3 * (now - heardAt)));
    heardAt = now;
  }

  async function connect(signal) {
    const controller = new AbortController();
    signal.addEventListener("abort", () => controller.abort(), { once: true });
    let timer = 0;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(), SILENCE_MS);
    };
    alive();
    try {
      const headers = lastId === null ? {} : { "last-event-id": lastId };
      await api.stream("/lattice/stream", {
        method: "GET",
        headers,
        onEvent: hear,
        onBytes: alive,
        signal: controller.signal,
      });
    } finally {
      clearTimeout(timer);
      clearTimeout(late);
      heardAt = null;
    }
  }

  async function run(signal) {
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      const began = Date.now();
      try {
        await connect(signal);
      } catch (error) {
        if (error instanceof Problem && error.status >= 400 && error.status < 500) wait = LONGEST_WAIT_MS;
      }
      if (signal.aborted) return;
      turn("offline");
      if (Date.now() - began > LONGEST_WAIT_MS) wait = FIRST_WAIT_MS;
      await pause(wait * (0.75 + Math.random() / 2), signal);
      wait = Math.min(LONGEST_WAIT_MS, wait * 2);
    }
  }

  function start() {
    if (running !== null || document.hidden) return;
    running = new AbortController();
    run(running.signal);
  }

  function stop() {
    running?.abort();
    running = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  addEventListener("online", () => {
    stop();
    start();
  });
  start();

  return {
    get latest() {
      return latest;
    },
    get state() {
      return state;
    },
    subscribe(fn, name = "snapshot") {
      if (!listeners.has(name)) listeners.set(name, new Set());
      listeners.get(name).add(fn);
      if (name === "snapshot" && latest !== null) fn(latest);
      if (name === "state") fn(state);
      return () => listeners.get(name).delete(fn);
    },
  };
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
