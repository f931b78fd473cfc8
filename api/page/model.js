// What the service says of itself in GET /model/: the limits of an upload, the bearings it knows, the scores, the versions.

import { offerBearings } from "./bearings.js";
import { byId, element, number } from "./dom.js";
import { askForKey } from "./form.js";
import { get } from "./service.js";

export let limits = null; // of an upload, null until the service has told them

export async function showModel() {
  let model;
  try {
    model = await (await get("model/")).json();
  } catch (error) {
    if (error.status === 401) askForKey();
    byId("scores").replaceChildren(element("p", { className: "error", textContent: error.message }));
    return;
  }
  limits = model.upload;
  byId("limits").textContent = describeLimits(limits);
  for (const name of ["file", "baseline"]) byId(name).accept = limits.suffixes.join(",");
  offerBearings(model.bearings);
  byId("scores").replaceChildren(...describeScores(model.protocols));
  byId("provenance").textContent = describeVersions(model.versions);
}

function describeLimits({ suffixes, most_bytes: bytes, least_sampling_rate: rate }) {
  return `${suffixes.slice(0, -1).join(", ")} or ${suffixes.at(-1)}, up to ${number(bytes / 1e6, 3)} MB, ${number(rate)} Hz or more`;
}

function describeVersions({ model_sha256: single, diagnosis_sha256: whole, git_commit: commit, dvc_lock_sha256: lock }) {
  const short = (hash) => hash.slice(0, 12);
  return `Model ${short(whole)} (recordings), ${short(single)} (single windows) · commit ${short(commit)} · data and parameters ${short(lock)}`;
}

const PROTOCOLS = {
  random: "windows of recordings it was trained on", load: "motor loads it was not trained on",
  bearing: "bearings it was not trained on", combinations: "bearings it was not trained on, fault sizes mixed",
  rig: "other rigs, nothing trained there: whole recordings, no baseline",
  machine: "simulated machines with gears, belts and damaged neighbours, no baseline",
};

function describeScore({ mean, spread, worst }) {
  const all = `${mean.macro_f1.toFixed(3)} ± ${spread.macro_f1.toFixed(3)}`;
  return worst ? `${all}, worst ${worst.macro_f1.toFixed(3)} (${worst.rig})` : all;
}

function describeScores(protocols) {
  const name = protocols.headline_network;
  const rows = Object.entries(PROTOCOLS).filter(([protocol]) => protocols[protocol]?.[name]).map(([protocol, words]) => {
    return element("tr", {}, element("td", { textContent: words }), element("td", { textContent: describeScore(protocols[protocol][name]) }));
  });
  if (!rows.length) return [element("p", { textContent: "The service carries no scores." })];
  const head = element("tr", {}, element("th", { scope: "col", textContent: "Tried on" }), element("th", { scope: "col", textContent: "macro-F1, mean and deviation" }));
  return [
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
    element("p", { className: "hint", textContent: "The scores were measured on public recordings of four rigs, most with artificial faults, and on simulated machines. The recipe was chosen with sight of these results, "
      + "so they show what it can do and are no blind test. Ball faults on a machine it never heard seldom show lines of their own: do not rely on it there. "
      + "Normal is one healthy bearing: give a healthy baseline wherever you can." }),
  ];
}
