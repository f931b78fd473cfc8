// The page of machines: which of its two views is shown, and when it asks the service again.

import { byId } from "./dom.js";
import { showFleet, startFleet } from "./fleet/list.js";
import { redraw, showPoint } from "./fleet/point.js";
import { startSaying } from "./fleet/saying.js";
import { fit } from "./plots.js";
import { SERVICE } from "./service.js";

const EVERY = 60_000; // ms from one look at the service to the next

/** Show the point that the address names, #machine/point, or else all machines. */
async function show() {
  const [machine, point] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const one = Boolean(machine && point);
  byId("fleet").hidden = one;
  byId("point").hidden = !one;
  byId("error").hidden = true;
  try {
    await (one ? showPoint(machine, point) : showFleet());
  } catch (error) {
    tell(error);
    byId("fleet").hidden = byId("point").hidden = true;
  }
}

function tell(error) {
  if (error.status === 401) byId("key_row").hidden = false;
  byId("error").textContent = error.status === 404 && !byId("fleet").hidden
    ? "This service keeps no machines: start it with DATABASE_URL set to a store." : error.message;
  byId("error").hidden = false;
}

byId("docs").href = `${SERVICE}/docs`;
byId("api_key").onchange = show;
startFleet();
startSaying(show);
addEventListener("unhandledrejection", (event) => { event.preventDefault(); tell(event.reason); });
addEventListener("hashchange", () => { show(); scrollTo(0, 0); });
addEventListener("resize", fit);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
setInterval(() => { if (!document.hidden && !byId("dialog").open && !byId("fleet").hidden) show(); }, EVERY);
show();
