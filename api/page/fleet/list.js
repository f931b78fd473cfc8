// All machines, the worst first: searched, filtered by level, a page at a time.

import { byId, element } from "../dom.js";
import { LEVELS } from "../labels.js";
import { moment } from "../moments.js";
import { request } from "../service.js";

const PAGE = 200;
const WIDTH = 120, HEIGHT = 28; // of a sparkline, CSS pixels
const TALLEST = 2; // severity that a sparkline reaches at least
const SVG = "http://www.w3.org/2000/svg";

let level = "";
let shown = 0;

export function startFleet() {
  let typing;
  byId("search").oninput = () => { clearTimeout(typing); typing = setTimeout(showFleet, 200); };
  byId("more").onclick = () => load(shown);
}

export const showFleet = () => load(0);

async function load(offset) {
  const asked = { q: byId("search").value.trim(), offset, limit: PAGE, ...(level && { level }) };
  const response = await request("GET", `machines/?${new URLSearchParams(asked)}`);
  const points = await response.json();
  const total = Number(response.headers.get("X-Total-Count"));
  byId("fleet").hidden = false;
  showLevels(response.headers.get("X-Levels") ?? "");
  if (offset) byId("rows").append(...points.map(rowOf));
  else byId("rows").replaceChildren(...points.map(rowOf));
  shown = offset + points.length;
  byId("more").hidden = shown >= total;
  byId("points").hidden = total === 0;
  byId("fleet_note").textContent = total ? `${shown} of ${total} ${total === 1 ? "point" : "points"}, the worst first.` : "";
  byId("none").hidden = total > 0;
  byId("none").textContent = asked.q || level ? "No machine is called so, or none is at this level."
    : "There is no machine yet. Diagnose a recording and choose “Keep watching this machine”, or send a folder with api/diagnose.py --machine.";
}

/** A button for each level that some point is at; "alarm=1, normal=20" says how many. */
function showLevels(text) {
  const counts = Object.fromEntries(text.split(", ").filter(Boolean).map((part) => part.split("=")));
  const all = Object.values(counts).reduce((sum, count) => sum + Number(count), 0);
  const buttons = ["", ...LEVELS.filter((name) => counts[name] || name === level)].map((name) => {
    const count = name ? counts[name] ?? 0 : all;
    const button = element("button", { type: "button", textContent: `${name || "all"} ${count}`, className: "chip", style: { "--state": name ? `var(--${name})` : "var(--ink)" } });
    button.setAttribute("aria-pressed", String(name === level));
    button.onclick = async () => {
      level = name;
      await showFleet();
      byId("levels").querySelector("[aria-pressed=true]")?.focus();
    };
    return button;
  });
  byId("levels").replaceChildren(...buttons);
}

function rowOf({ machine, point, state, last_recording, recent }) {
  const link = element("a", { href: `#${machine}/${point}`, textContent: machine });
  const cells = [
    element("td", {}, element("span", { className: "pill", textContent: state.level, style: { "--state": `var(--${state.level})` } })),
    element("td", {}, link, element("span", { className: "hint", textContent: ` ${point}` })),
    element("td", { className: "when", textContent: moment(state.since) }),
    element("td", { className: "when", textContent: moment(last_recording) }),
    element("td", {}, sparkline(recent, state.level)),
    element("td", { className: "reason", textContent: state.reason }),
  ];
  for (const [name, cell] of ["Level", "Machine", "Since", "Last recording", "Severity", "Reason"].map((each, place) => [each, cells[place]])) cell.dataset.name = name;
  return element("tr", {}, ...cells);
}

function sparkline(values, level) {
  const svg = document.createElementNS(SVG, "svg");
  const words = values.length ? `severity ${values.at(-1).toFixed(2)}, highest of the last ${values.length}: ${Math.max(...values).toFixed(2)}` : "no recording";
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": words })) svg.setAttribute(name, value);
  const top = Math.max(TALLEST, ...values);
  const y = (value) => HEIGHT - 2 - (value / top) * (HEIGHT - 4);
  const step = WIDTH / Math.max(values.length - 1, 1);
  const line = (d, css) => { const path = document.createElementNS(SVG, "path"); path.setAttribute("d", d); path.setAttribute("class", css); svg.append(path); return path; };
  line(`M0 ${y(1)}H${WIDTH}`, "threshold");
  if (values.length) line(`M${values.map((value, place) => `${(place * step).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}`, "spark").style.setProperty("--state", `var(--${level})`);
  return svg;
}
