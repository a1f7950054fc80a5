// Before the first paint, so that a page which was chosen to be dark never flashes.
(() => {
  const names = { "": "as the system has them", light: "light", dark: "dark" };
  const order = ["", "light", "dark"];
  const kept = () => {
    try {
      const theme = localStorage.getItem("theme") ?? "";
      return order.includes(theme) ? theme : "";
    } catch {
      return ""; // Storage may be forbidden.
    }
  };
  const show = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    document.getElementById("theme")?.setAttribute("aria-label", `Colours: ${names[theme]}`);
    document.dispatchEvent(new Event("theme"));
  };
  show(kept());
  document.addEventListener("DOMContentLoaded", () => {
    show(kept());
    document.getElementById("theme").addEventListener("click", () => {
      const next = order[(order.indexOf(kept()) + 1) % order.length];
      try {
        localStorage.setItem("theme", next);
      } catch {
        // Then it lasts as long as the page.
      }
      show(next);
    });
  });
})();
