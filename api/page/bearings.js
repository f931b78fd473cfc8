// The bearings that the service knows: a search over designations, sizes and makers, and the orders that follow.

import { byId, element, number } from "./dom.js";

const GEOMETRY = byId("bearing_hint").textContent; // what may be typed besides a designation

export function offerBearings(bearings) {
  const options = Object.entries(bearings).map(([name, bearing]) => {
    const label = [bearing.same_size_as !== name && bearing.same_size_as, bearing.maker].filter(Boolean).join(", ");
    return element("option", { value: name, label: `${name}: ${label}` });
  });
  byId("bearings").replaceChildren(...options);
  byId("bearing").addEventListener("input", () => showOrders(bearings));
  showOrders(bearings);
}

function showOrders(bearings) {
  const typed = plain(byId("bearing").value);
  const found = Object.entries(bearings).find(([name]) => plain(name) === typed)?.[1];
  const similar = Object.entries(bearings).filter(([, { same_size_as: size }]) => size && typed.includes(plain(size)));
  if (found) byId("bearing_hint").textContent = `${describeOrders(found.orders)} × shaft · ${found.maker}`;
  else if (similar.length) byId("bearing_hint").textContent = `Estimated from its size. In the table, of the same: ${similar.map(([name, { maker }]) => `${name} (${maker})`).join(", ")}`;
  else byId("bearing_hint").textContent = GEOMETRY;
}

const plain = (designation) => designation.replace(/[\s_-]/g, "").toLowerCase();

function describeOrders({ bpfo, bpfi, bsf, ftf }) {
  return `BPFO ${number(bpfo, 4)}, BPFI ${number(bpfi, 4)}, 2 × BSF ${number(2 * bsf, 4)}, cage ${number(ftf, 3)}`;
}
