import { refresh, say } from "./live.js";
import "./plots.js";

const run = location.pathname.split("/")[2];
const isOver = () => document.getElementById("head").dataset.over === "true";

function follow() {
  let waiting = 0;
  const source = new EventSource(`/v1/runs/${run}/events`);
  const soon = () => {
    // What comes together is shown together.
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 200);
  };
  for (const kind of ["measurement", "metric", "phase", "run"]) source.addEventListener(kind, soon);
  source.addEventListener("end", () => {
    source.close();
    soon();
  });
}

if (!isOver()) follow();

const dialog = document.getElementById("confirm");
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#terminate")) dialog.showModal();
});
dialog.addEventListener("close", async () => {
  if (dialog.returnValue !== "terminate") return;
  dialog.returnValue = "";
  const { url } = dialog.querySelector("[data-url]").dataset;
  try {
    const response = await fetch(url, { method: "POST" });
    if (!response.ok) return say((await response.json()).detail ?? `The gateway answered ${response.status}.`);
  } catch {
    return say("The gateway does not answer: the run may go on.");
  }
  refresh();
});
