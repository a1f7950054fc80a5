// Draws measurements over time: each with the mark of its phase, and the limits of the conditions.

const HEIGHT = 200;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const PHASES = ["Successful", "Failed", "Error", "Inconclusive", "Running", "Pending"];

function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function palette() {
  const names = ["text", "sub", "edge", "accent", ...PHASES.map((each) => each.toLowerCase())];
  return Object.fromEntries(names.map((name) => [name, colour(name)]));
}

const SHAPES = {
  Failed(context, x, y, r) {
    context.moveTo(x - r, y - r);
    context.lineTo(x + r, y + r);
    context.moveTo(x + r, y - r);
    context.lineTo(x - r, y + r);
  },
  Error(context, x, y, r) {
    context.moveTo(x, y - r);
    context.lineTo(x + r, y + r);
    context.lineTo(x - r, y + r);
    context.closePath();
  },
  Inconclusive(context, x, y, r) {
    context.moveTo(x, y - r);
    context.lineTo(x + r, y);
    context.lineTo(x, y + r);
    context.lineTo(x - r, y);
    context.closePath();
  },
};

function circle(context, x, y, r) {
  context.moveTo(x + r, y);
  context.arc(x, y, r, 0, 2 * Math.PI);
}

function drawMarks(plot, data, colours) {
  const { ctx: context, bbox } = plot;
  const scale = devicePixelRatio;
  const radius = (data.times.length > 200 ? 2 : 4) * scale;
  context.save();
  context.lineWidth = 1.8 * scale;
  data.times.forEach((time, index) => {
    const phase = data.phases[index];
    const x = plot.valToPos(time, "x", true);
    const numbers = data.values.map((line) => line[index]).filter((value) => value !== null);
    const ys = numbers.length ? numbers.map((value) => plot.valToPos(value, "y", true)) : [bbox.top + bbox.height - radius];
    context.strokeStyle = context.fillStyle = colours[phase.toLowerCase()];
    for (const y of ys) {
      context.beginPath();
      (SHAPES[phase] ?? circle)(context, x, y, radius);
      if (phase === "Successful") context.fill();
      else context.stroke();
    }
  });
  context.restore();
}

function drawLimits(plot, data, colours) {
  const { ctx: context, bbox } = plot;
  const scale = devicePixelRatio;
  context.save();
  context.lineWidth = 1.5 * scale;
  context.setLineDash([6 * scale, 4 * scale]);
  context.font = `${11 * scale}px system-ui, sans-serif`;
  context.textBaseline = "bottom";
  context.textAlign = "left";
  for (const line of data.lines) {
    const y = plot.valToPos(line.at, "y", true);
    context.strokeStyle = context.fillStyle = colours[line.of === "failure" ? "failed" : "successful"];
    context.beginPath();
    context.moveTo(bbox.left, y);
    context.lineTo(bbox.left + bbox.width, y);
    context.stroke();
    context.fillText(line.text, bbox.left + 4 * scale, y - 3 * scale);
  }
  context.restore();
}

function bounds(data) {
  const all = [...data.values.flat().filter((value) => value !== null), ...data.lines.map((line) => line.at)];
  let low = Infinity;
  let high = -Infinity;
  for (const each of all) {
    low = Math.min(low, each);
    high = Math.max(high, each);
  }
  const room = (high - low) * 0.15 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

function span(data) {
  const first = data.times[0];
  const last = data.times.at(-1);
  const room = (last - first) * 0.02 || 5;
  return [first - room, last + room];
}

function readout(figure, data) {
  const caption = figure.querySelector("figcaption");
  return (plot) => {
    const index = plot.cursor.idx;
    if (index === null || index === undefined) {
      caption.textContent = "";
      return;
    }
    const values = data.values.map((line) => line[index] ?? "no number").join(", ");
    caption.textContent = `${CLOCK.format(data.times[index] * 1000)}  ${data.phases[index]}  ${values}`;
  };
}

function options(figure, data, width) {
  const colours = palette();
  const axis = { stroke: colours.sub, grid: { stroke: colours.edge, width: 1 }, ticks: { stroke: colours.edge, width: 1 }, font: "11px system-ui, sans-serif" };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { range: () => span(data) }, y: { range: () => bounds(data) } },
    axes: [{ ...axis, values: (_, ticks) => ticks.map((each) => CLOCK.format(each * 1000)), space: 90, size: 30 }, { ...axis, size: 58 }],
    series: [{}, ...data.values.map(() => ({ stroke: colours.accent, width: 1.5, points: { show: false }, spanGaps: false }))],
    hooks: {
      draw: [(plot) => { drawLimits(plot, data, colours); drawMarks(plot, data, colours); }],
      setCursor: [readout(figure, data)],
    },
  };
}

function describe(figure, data) {
  const limits = data.lines.map((line) => line.text).join(", ");
  const text = `${data.times.length} measurements over time${limits ? `; limits: ${limits}` : ""}. The table below has them.`;
  figure.querySelector(".canvas").setAttribute("aria-label", text);
}

const drawn = new Map();

function draw(figure) {
  const text = document.getElementById(figure.dataset.of)?.dataset.plot ?? "";
  const canvas = figure.querySelector(".canvas");
  figure.hidden = !text;
  const key = `${text} ${canvas.clientWidth} ${getComputedStyle(document.body).color}`;
  if (!text || drawn.get(figure)?.key === key) return;
  drawn.get(figure)?.plot.destroy();
  const data = JSON.parse(text);
  const plot = new uPlot(options(figure, data, canvas.clientWidth), [data.times, ...data.values], canvas);
  drawn.set(figure, { key, plot });
  describe(figure, data);
}

export function drawAll() {
  performance.mark("plots-begin");
  for (const figure of document.querySelectorAll("figure.plot")) draw(figure);
  performance.mark("plots-end");
  performance.measure("plots", "plots-begin", "plots-end");
}

let waiting = 0;
function soon() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(drawAll);
}

drawAll();
document.addEventListener("refreshed", drawAll);
document.addEventListener("theme", soon);
addEventListener("resize", soon);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
