// From a diagnosis to a watched machine: the recording becomes the first of its point.

import { answer, question } from "./answer.js";
import { byId, element } from "./dom.js";
import { localTime } from "./moments.js";
import { call } from "./service.js";

/** Offer to watch machines where the service keeps some. */
export async function offerWatching() {
  try {
    await call("GET", "machines/?limit=1");
  } catch {
    return;
  }
  byId("machines").hidden = byId("watch").hidden = false;
  byId("watch").onclick = ask;
  byId("watch_cancel").onclick = () => byId("watch_dialog").close();
  byId("watch_form").onsubmit = (event) => { event.preventDefault(); watch(); };
}

function ask() {
  const taken = question.example ? new Date() : new Date(question.file.lastModified);
  byId("taken_at").value = localTime(taken);
  byId("watch_error").hidden = true;
  byId("watch_dialog").showModal();
}

/** The unit that the point has, else the one that the file states, where points know it. */
async function chooseUnit(path) {
  const { unit } = answer.recording; // as the file writes it
  const stored = await readUnit(path);
  if (stored || !unit) return stored;
  const known = (await call("GET", "openapi.json")).components.schemas.PointFields.properties.unit.enum;
  return known.includes(unit) ? unit : "";
}

async function readUnit(path) {
  try {
    return (await call("GET", path)).unit;
  } catch (error) {
    if (error.status === 404) return ""; // a new point
    throw error;
  }
}

async function watch() {
  const [machine, point] = ["machine_name", "point_name"].map((id) => byId(id).value.trim());
  const { bearing, sampling_rate, rpm, channel } = answer.recording;
  const path = `machines/${machine}/points/${point}`;
  const form = new FormData();
  form.append("file", question.file, question.file.name);
  form.append("taken_at", new Date(byId("taken_at").value).toISOString());
  for (const [name, value] of Object.entries({ sampling_rate, rpm })) form.append(name, value);
  byId("watch_confirm").disabled = true;
  try {
    await call("PUT", path, { json: { bearing, sampling_rate, rpm, channel, unit: await chooseUnit(path) } });
    await call("POST", `${path}/recordings`, { form });
    location.href = `machines.html#${machine}/${point}`;
  } catch (error) {
    byId("watch_error").textContent = error.message;
    byId("watch_error").hidden = false;
  } finally {
    byId("watch_confirm").disabled = false;
  }
}
