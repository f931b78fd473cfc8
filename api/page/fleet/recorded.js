// A recording of a point: what was measured of it, its diagnosis, and the evidence.

import { byId, element, number } from "../dom.js";
import { NAMES, PARTS } from "../labels.js";
import { rowOf } from "../lines.js";
import { moment } from "../moments.js";
import { call, get } from "../service.js";

export async function showRecorded(path, id, point) {
  const told = await call("GET", `${path}/recordings/${id}`);
  const { diagnosis, indicators, parts } = told;
  const grown = Object.entries(parts).filter(([, size]) => size >= 0.3).map(([name, size]) => `${PARTS[name]} ${size.toFixed(2)}`);
  const facts = [
    `severity ${told.severity.toFixed(2)}`, `RMS ${number(told.rms, 3)} ${point.unit}`.trim(), `peak ${number(indicators.peak, 3)}`,
    `kurtosis ${number(indicators.kurtosis, 3)}`, indicators.velocity !== null && `${number(indicators.velocity, 3)} mm/s`,
    indicators.rpm && `${number(indicators.rpm, 5)} rpm`, `${number(indicators.seconds, 3)} s`,
  ].filter(Boolean).join(" · ");
  byId("recorded").replaceChildren(
    element("h3", { className: "small", textContent: `Recording of ${moment(told.taken_at)}` }),
    element("p", {}, element("span", { className: "pill", textContent: told.level, style: { "--state": `var(--${told.level})` } }), ` ${facts}`),
    ...(grown.length ? [element("p", { textContent: `Against the point’s past: ${grown.join(", ")}.` })] : []),
    ...(diagnosis ? describe(diagnosis) : [element("p", { className: "hint", textContent: "It was trended and not diagnosed." })]),
    ...(told.has_file ? [fileButton(`${path}/recordings/${id}/file`)] : []),
  );
  byId("recorded").hidden = false;
  byId("recorded").focus({ preventScroll: true });
  byId("recorded").scrollIntoView({ block: "nearest" });
}

function describe({ prediction, reason, agreement, recording, speed_factor: factor, warnings }) {
  const head = ["Line", "Order", "Hz", "Harmonics 1 to 3", "Stands out"].map((textContent) => element("th", { scope: "col", textContent }));
  const rows = agreement.lines.map((line) => rowOf(line, (recording.rpm * factor) / 60));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  const region = element("div", { className: "scroll", tabIndex: 0 }, table);
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", "Heights of the lines");
  return [
    element("p", {}, element("strong", { className: "state", textContent: NAMES[prediction], style: { "--state": `var(--${prediction})` } }), reason ? `: ${reason}.` : "."),
    element("p", { textContent: agreement.explanation }),
    ...(rows.length ? [region] : []),
    element("ul", { className: "warnings" }, ...warnings.map((textContent) => element("li", { textContent }))),
  ];
}

/** A link would carry no key. */
function fileButton(path) {
  const button = element("button", { type: "button", className: "link", textContent: "Save its file" });
  button.onclick = async () => {
    const response = await get(path);
    const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "recording";
    const link = element("a", { href: URL.createObjectURL(await response.blob()), download: name });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return button;
}
