import { ask } from "./verdicts.js";

const form = document.getElementById("evaluate");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const field = form.elements.namedItem(name);
    // What nobody changed stays the template's own default.
    if (name === "namespace" ? value : field.required || value !== field.defaultValue) query.set(name, value);
  }
  ask(form.dataset.url, query);
});
