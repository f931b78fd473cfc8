// One point: its state, its trends over time, the recording that a person chose, its alarms and notes.

import { byId, number } from "../dom.js";
import { moment } from "../moments.js";
import { call } from "../service.js";
import { showAlarms, showNotes } from "./history.js";
import { showRecorded } from "./recorded.js";
import { drawParts, drawRms, drawSeverity } from "./trends.js";
import { drawWaterfall } from "./waterfall.js";

export let point = null; // as the service tells it
export let path = ""; // of the point behind the service
let drawn = null; // what the plots show: trend, waterfall, alarms, notes
let span = null; // begin and end in unix seconds of what a person zoomed to
let loads = 0; // answers may arrive in another order than they were asked for: those of the last load are drawn

export async function showPoint(machine, name) {
  const asked = `machines/${encodeURIComponent(machine)}/points/${encodeURIComponent(name)}`;
  if (asked !== path) {
    span = null;
    byId("recorded").hidden = true;
  }
  path = asked;
  const found = await call("GET", asked);
  if (asked !== path) return; // another point was opened since
  point = found;
  byId("point").hidden = false;
  showState();
  await load();
}

async function load() {
  const own = ++loads;
  const query = new URLSearchParams(span ? { from: iso(span[0]), until: iso(span[1]) } : {});
  const [trend, combs, alarms, notes] = await Promise.all([
    call("GET", `${path}/trend?${query}&points=600`), call("GET", `${path}/waterfall?${query}&columns=240`),
    call("GET", `${path}/alarms`), call("GET", `${path}/notes`),
  ]);
  if (own !== loads) return;
  drawn = { trend, combs, alarms, notes };
  byId("unzoom").hidden = !span;
  byId("empty").hidden = trend.length > 0 || span;
  byId("trends").hidden = trend.length === 0 && !span;
  showAlarms(alarms);
  showNotes(notes);
  const open = alarms.find(({ cleared_at, acknowledged_by }) => !cleared_at && !acknowledged_by);
  byId("acknowledge").hidden = !open;
  byId("acknowledge").dataset.alarm = open?.id ?? "";
  redraw();
}

/** Draw the plots again, in the colours of the scheme that holds now. */
export function redraw() {
  if (!drawn?.trend.length || byId("point").hidden) return;
  const { trend, combs, alarms, notes } = drawn;
  const marks = [
    ...alarms.map(({ raised_at, level, reason }) => ({ at: seconds(raised_at), sign: "▼", words: reason, level })),
    ...notes.map(({ written_at, text }) => ({ at: seconds(written_at), sign: text === "learns anew" ? "◆" : "●", words: text })),
  ];
  const act = { zoom, choose };
  drawSeverity(byId("severity"), trend, point.thresholds, marks, act);
  drawParts(byId("parts"), trend, act);
  drawRms(byId("rms"), trend, point.unit, act);
  drawWaterfall(byId("waterfall"), combs, point.orders, act);
}

const seconds = (text) => Date.parse(text) / 1000;
const iso = (time) => new Date(1000 * time).toISOString();

function zoom(begin, end) {
  span = begin === null ? null : [begin, end];
  load();
}
byId("unzoom").onclick = () => { zoom(null); byId("severity").scrollIntoView({ block: "nearest" }); };

/** Show the recording of a moment, or the last one before it. */
async function choose(moment) {
  const [found] = await call("GET", `${path}/recordings?until=${encodeURIComponent(moment)}&limit=1`);
  if (found) await showRecorded(path, found.id, point);
}

function showState() {
  const { state, machine, point: name } = point;
  document.title = `${machine}: ${state.level}`;
  byId("state_card").style.setProperty("--state", `var(--${state.level})`);
  byId("point_name").textContent = `${machine}, ${name}`;
  byId("level").textContent = state.level;
  byId("level").style.setProperty("--state", `var(--${state.level})`);
  byId("since").textContent = state.since ? `since ${moment(state.since)}` : "";
  byId("reason").textContent = state.reason ? `${state.reason[0].toUpperCase()}${state.reason.slice(1)}.` : "";
  byId("facts").textContent = [
    `bearing ${point.bearing}`, point.sampling_rate && `${number(point.sampling_rate, 6)} Hz`, point.rpm && `${number(point.rpm, 5)} rpm`,
    point.unit, `last recording ${moment(point.last_recording)}`, point.learned_from && `learned anew from ${moment(point.learned_from)}`,
  ].filter(Boolean).join(" · ");
}
