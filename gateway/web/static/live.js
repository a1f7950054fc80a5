// Keeps a page as the server would show it now: parts marked data-live are replaced when they changed.

const shown = new Map();
for (const part of document.querySelectorAll("[data-live]")) shown.set(part.id, part.outerHTML);

export function say(text) {
  document.getElementById("status").textContent = text;
}

function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

export async function refresh() {
  let text;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.redirected) return say("You are signed out: load the page again to sign in.");
    if (!response.ok) return say(`This page is not up to date: the gateway answered ${response.status}.`);
    text = await response.text();
  } catch {
    return say("This page is not up to date: the gateway does not answer.");
  }
  say("");
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    const html = part.outerHTML;
    if (!old || shown.get(part.id) === html) continue;
    shown.set(part.id, html);
    replace(old, document.importNode(part, true));
  }
  localise();
  document.dispatchEvent(new Event("refreshed"));
}

export function every(seconds) {
  setInterval(() => {
    if (!document.hidden) refresh();
  }, seconds * 1000);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

export function localise() {
  const today = day.format(new Date());
  for (const each of document.querySelectorAll("time:not([title])")) {
    const at = new Date(each.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const date = day.format(at);
    each.title = each.dateTime;
    each.textContent = date === today ? clock.format(at) : `${date}, ${clock.format(at)}`;
  }
}

localise();
