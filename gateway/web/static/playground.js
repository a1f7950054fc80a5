import { ask, badge, element } from "./verdicts.js";

const PAUSE_MS = 300;
const YAML = { "Content-Type": "application/yaml" };
const template = document.getElementById("template");

// Runs work after a pause in typing; what was asked before and has not come yet is not wanted any more.
function debounced(work) {
  let waiting = 0;
  let asked = new AbortController();
  return () => {
    clearTimeout(waiting);
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    waiting = setTimeout(() => work(signal).catch(() => {}), PAUSE_MS);
  };
}

function leadTo(line) {
  const lines = template.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  template.focus();
  template.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  template.scrollTop = ((line - 4) / lines.length) * template.scrollHeight;
}

function finding(each) {
  const item = element("li", { class: `finding ${each.severity}` });
  if (each.line) {
    const button = element("button", { type: "button" }, `line ${each.line}`);
    button.addEventListener("click", () => leadTo(each.line));
    item.append(button);
  }
  item.append(element("strong", {}, each.severity), " ");
  if (each.path) item.append(element("code", {}, each.path), " ");
  item.append(each.message);
  if (each.hint) item.append(element("pre", { class: "hint", tabindex: "0" }, each.hint));
  return item;
}

const findings = document.getElementById("findings");
const lint = debounced(async (signal) => {
  const response = await fetch("/v1/lint", { method: "POST", headers: YAML, body: template.value, signal });
  const told = await response.json();
  if (!response.ok) findings.replaceChildren(element("p", { class: "finding error" }, element("strong", {}, "error"), ` ${told.detail}`));
  else if (told.findings.length) findings.replaceChildren(element("ul", { class: "findings" }, ...told.findings.map(finding)));
  else findings.replaceChildren(element("p", {}, badge("Successful", "no problems")));
});

const condition = document.getElementById("condition");
const outcome = document.getElementById("outcome");

function judged(told) {
  if (told.error) return [element("p", {}, badge("Error", "cannot be evaluated")), element("pre", { class: "hint", tabindex: "0" }, told.hint || told.error)];
  return [element("p", {}, told.ok ? badge("Successful", "true") : badge("Failed", "false"))];
}

const tryCondition = debounced(async (signal) => {
  const given = Object.fromEntries(new FormData(condition));
  let result;
  try {
    result = JSON.parse(given.result);
  } catch {
    outcome.replaceChildren(element("p", {}, "The result is no JSON."));
    return;
  }
  const response = await fetch("/v1/condition", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ condition: given.condition, result, type: given.type }),
    signal,
  });
  const told = await response.json();
  outcome.replaceChildren(...(response.ok ? judged(told) : [element("p", { class: "finding error" }, told.detail)]));
});

const form = document.getElementById("evaluate");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(form));
  const query = new URLSearchParams();
  if (given.namespace) query.set("namespace", given.namespace);
  for (const line of given.arguments.split("\n").filter((each) => each.trim())) {
    const [name, ...value] = line.split("=");
    query.set(`args.${name.trim()}`, value.join("="));
  }
  ask(form.dataset.url, query, { method: "POST", headers: YAML, body: template.value });
});

template.addEventListener("input", lint);
condition.addEventListener("input", tryCondition);
condition.addEventListener("submit", (event) => event.preventDefault());
lint();
tryCondition();
