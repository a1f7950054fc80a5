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

function metric(name, told) {
  const took = told.cache === "miss" ? `${told.tookMs} ms` : `${told.tookMs} ms, ${told.cache}`;
  return element(
    "section",
    {},
    element("h3", {}, element("bdi", {}, name), badge(told.phase), ...(told.dryRun ? [element("span", { class: "tag" }, "dry run")] : [])),
    facts([
      ["value", told.text],
      ["message", told.message],
      ["success", told.successCondition],
      ["failure", told.failureCondition],
      ["query", told.query],
      ["took", took],
      ...Object.entries(told.metadata ?? {}),
    ]),
    ...(told.hint ? [element("pre", { class: "hint" }, told.hint)] : []),
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

export async function ask(url, options) {
  const place = document.getElementById("verdict");
  place.replaceChildren(element("p", { class: "sub" }, "Measuring…"));
  try {
    const response = await fetch(url, options);
    if (response.redirected) throw new Error("signed out");
    place.replaceChildren(...parts(await response.json()));
  } catch {
    place.replaceChildren(element("p", { class: "why Error" }, element("bdi", {}, "The gateway gave no answer.")));
  }
}
