// Asks for a verdict and shows it. Whatever comes back is text, and stays text.

const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function badge(phase, text = phase) {
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${phase}`);
  icon.append(use);
  return element("span", { class: `phase ${phase}` }, icon, text);
}

function facts(pairs) {
  const rows = pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return element("dl", {}, ...rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, element("code", {}, String(value))))));
}

function shown(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function pieces(told) {
  const explained = told.explanation ?? {};
  const conditions = [["success", explained.successCondition], ["failure", explained.failureCondition]];
  return conditions
    .filter(([, each]) => each)
    .map(([name, each]) =>
      folded(`What each piece of the ${name} condition gave`, facts(each.parts.map((part) => [part.expression, part.error ?? shown(part.value)]))),
    );
}

function folded(summary, ...parts) {
  return element("details", {}, element("summary", {}, summary), ...parts);
}

function exchange(each) {
  const { request, response } = each;
  const asked = `${request.method} ${request.url}${request.body ? `\n\n${request.body}` : ""}`;
  const answered = response ? `${response.status}\n\n${response.body}` : each.error;
  return folded(`${request.method}, ${response?.status ?? "no answer"}, ${each.tookMs} ms`, element("pre", {}, asked), element("pre", {}, answered));
}

function exchanges(told) {
  if (told.exchanges === undefined) return [];
  if (told.exchanges === null) return [element("p", { class: "sub" }, "Its requests and answers are not known here.")];
  return told.exchanges.map(exchange);
}

function metric(name, told) {
  const took = told.cache === "miss" ? `${told.tookMs} ms` : `${told.tookMs} ms, ${told.cache}`;
  return element(
    "section",
    {},
    element("h3", {}, element("bdi", {}, name), badge(told.phase), ...(told.dryRun ? [element("span", { class: "tag" }, "dry run")] : [])),
    facts([
      ["why", told.reason],
      ["value", told.text],
      ["message", told.message === told.reason ? "" : told.message],
      ["success", told.successCondition],
      ["failure", told.failureCondition],
      ["query", told.query],
      ["took", took],
      ...Object.entries(told.metadata ?? {}),
    ]),
    ...(told.hint ? [element("pre", { class: "hint", tabindex: "0" }, told.hint)] : []),
    ...pieces(told),
    ...exchanges(told),
  );
}

function refusal(told) {
  const problems = (told.problems ?? []).map((each) => element("li", {}, element("code", {}, each.path || "template"), ` ${each.message}`));
  const text = problems.length ? told.title : told.detail;
  return [element("p", { class: "why Failed" }, element("bdi", {}, text ?? "The gateway refused.")), ...(problems.length ? [element("ul", { class: "findings" }, ...problems)] : [])];
}

function parts(told) {
  if (!told.metrics) return refusal(told);
  return [
    element("p", { class: `why ${told.phase}` }, badge(told.phase), " ", element("bdi", {}, told.reason)),
    ...Object.entries(told.metrics).map(([name, each]) => metric(name, each)),
  ];
}

export async function ask(url, query, options) {
  if (document.getElementById("explain")?.checked) {
    query.set("explain", "true");
    query.set("maxAge", "0"); // What was asked before, and for somebody else, is not known any more.
  }
  const place = document.getElementById("verdict");
  place.replaceChildren(element("p", { class: "sub" }, "Measuring…"));
  try {
    const response = await fetch(`${url}?${query}`, options);
    if (response.redirected) throw new Error("signed out");
    place.replaceChildren(...parts(await response.json()));
  } catch {
    place.replaceChildren(element("p", { class: "why Error" }, element("bdi", {}, "The gateway gave no answer.")));
  }
}
