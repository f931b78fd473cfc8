// A line of the envelope spectrum as a row of a table.

import { element } from "./dom.js";
import { NAMES } from "./labels.js";

/** shaftRate in Hz. */
export function rowOf({ fault, name, order, heights, stands_out }, shaftRate) {
  const swatch = element("span", { className: "swatch", style: { "--colour": `var(--${fault})` } });
  const part = element("span", { className: "hint", textContent: NAMES[fault].replace(" fault", "").toLowerCase() });
  return element("tr", { className: stands_out ? "out" : "" },
    element("td", {}, swatch, name, element("br"), part),
    element("td", { textContent: order.toFixed(3) }),
    element("td", { textContent: (order * shaftRate).toFixed(1) }),
    element("td", { textContent: heights.map((height) => `${height.toFixed(1)}×`).join("  ") }),
    element("td", { textContent: stands_out ? "yes" : "no" }));
}
