// A point's alarms and notes in words, the newest first.

import { byId, element } from "../dom.js";
import { moment } from "../moments.js";

export function showAlarms(alarms) {
  byId("no_alarms").hidden = alarms.length > 0;
  byId("alarms").replaceChildren(...alarms.map(({ level, since, cleared_at, reason, acknowledged_by, acknowledged_at, note }) => {
    const seen = acknowledged_by ? `${acknowledged_by}, ${moment(acknowledged_at)}${note ? `: ${note}` : ""}` : "nobody yet";
    return element("tr", {},
      element("td", {}, element("span", { className: "pill", textContent: level, style: { "--state": `var(--${level})` } })),
      element("td", { className: "when", textContent: moment(since) }), element("td", { className: "when", textContent: cleared_at ? moment(cleared_at) : "still" }),
      element("td", { className: "reason", textContent: reason }), element("td", { className: "reason", textContent: seen }));
  }));
}

export function showNotes(notes) {
  byId("no_notes").hidden = notes.length > 0;
  byId("notes").replaceChildren(...notes.map(({ written_at, by, text }) => element("li", {},
    element("span", { className: "hint", textContent: `${moment(written_at)}, ${by}: ` }), text)));
}
