// Runs before anything is painted, so that a chosen theme does not flash. "auto" follows the system.
(() => {
  const KEY = "lattice.theme";
  const read = () => {
    try {
      return localStorage.getItem(KEY) || "auto";
    } catch {
      return "auto"; // storage is switched off
    }
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = read();
    const theme = chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
    document.documentElement.dataset.theme = theme;
    dispatchEvent(new CustomEvent("lattice:theme", { detail: { chosen, theme } }));
  };
  apply();
  system.addEventListener("change", apply);
  globalThis.latticeTheme = {
    get chosen() {
      return read();
    },
    /** Go on to the next of auto, light and dark. */
    turn() {
      const order = ["auto", "light", "dark"];
      const next = order[(order.indexOf(read()) + 1) % order.length];
      try {
        localStorage.setItem(KEY, next);
      } catch {
        document.documentElement.dataset.theme = next;
      }
      apply();
      return next;
    },
  };
})();
