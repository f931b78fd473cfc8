"use strict";
// The page: takes a recording, asks POST /diagnose/, shows the answer. It knows the service only over HTTP.

const byId = (id) => document.getElementById(id);
const SERVICE = new URL(document.querySelector("meta[name=service]").content || ".", location.href).href.replace(/\/$/, "");
const NAMES = {
  Ball: "Rolling element fault", InnerRace: "Inner race fault", Normal: "No fault found",
  OuterRace: "Outer race fault", Unknown: "Unknown",
};
const LETTERS = { Ball: "B", InnerRace: "I", Normal: "N", OuterRace: "O", Unknown: "?" };
const STATES = { supports: "Normal", contradicts: "InnerRace", inconclusive: "Unknown" };
const FIELDS = ["sampling_rate", "rpm", "bearing", "channel", "baseline_sampling_rate", "baseline_rpm"];
const percent = (share) => (share > 0.995 ? "over 99 %" : share < 0.005 ? "under 1 %" : `${(100 * share).toFixed(0)} %`);
const number = (value, digits = 4) => value.toLocaleString("en", { maximumSignificantDigits: digits });

let chosen = null; // {file, example, healthy}: what a person picked
let baseline = []; // files, kept in this browser
let asked = null; // what the answer shown is the answer to
let answer = null;
let chosenWindow = null;

function element(tag, properties = {}, ...children) {
  const { style, ...others } = properties;
  const made = Object.assign(document.createElement(tag), others);
  for (const [name, value] of Object.entries(style ?? {})) made.style.setProperty(name, value);
  made.append(...children);
  return made;
}

// ---- asking

function readForm() {
  const fields = {};
  for (const name of FIELDS) {
    const value = byId(name).value.trim();
    if (value) fields[name] = /rate|rpm/.test(name) ? plainNumber(value) : value;
  }
  return fields;
}

/** 12,000 and 12 000 are twelve thousand; 1797,5 is a decimal comma. */
function plainNumber(text) {
  const close = text.replace(/\s/g, "");
  return /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(close) ? close.replaceAll(",", "") : close.replace(",", ".");
}

function ask(file, fields, healthy) {
  const body = new FormData();
  body.append("file", file, file.name);
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  for (const each of healthy) body.append("baseline", each, each.name);
  const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
  request.open("POST", `${SERVICE}/diagnose/`);
  request.timeout = 120_000;
  request.upload.onprogress = ({ loaded, total }) => showProgress("Sending", loaded / total);
  request.upload.onload = () => showProgress("Diagnosing", null);
  return new Promise((resolve, reject) => {
    request.onload = () => resolve({ status: request.status, retry: request.getResponseHeader("Retry-After"), text: request.responseText });
    request.onerror = () => reject(new Error(`No answer from ${SERVICE}: is the service running?`));
    request.ontimeout = () => reject(new Error(`No answer from ${SERVICE} within two minutes.`));
    request.send(body);
  });
}

async function diagnose(file, fields, healthy, example) {
  clearErrors();
  if (!file) return showError("file", "Choose a recording first, or one of the examples.");
  const previous = asked;
  asked = { file, fields, healthy, example };
  byId("submit").disabled = true;
  showProgress("Sending", 0);
  try {
    const { status, retry, text } = await ask(file, fields, healthy);
    if (asked.file !== file) return undefined;
    if (status === 200) return show(JSON.parse(text));
    asked = previous;
    if (status === 503) return showError("error", `The service is busy: try again${retry ? ` in ${retry} s` : ""}.`);
    showRefusal(status, text);
  } catch (error) {
    asked = previous;
    showError("error", error.message);
  } finally {
    byId("submit").disabled = false;
    byId("waiting").hidden = true;
  }
  return undefined;
}

function showProgress(words, share) {
  byId("waiting").hidden = false;
  byId("waiting_label").textContent = words;
  if (share === null) byId("progress").removeAttribute("value");
  else byId("progress").value = share;
}

// ---- errors

function clearErrors() {
  for (const place of document.querySelectorAll("form .error")) place.hidden = true;
  for (const input of document.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

function showError(field, message) {
  const place = byId(`${field}_error`) ?? byId("error");
  place.textContent = message;
  place.hidden = false;
  const input = byId(field);
  if (place === byId("error") || !input) return;
  input.setAttribute("aria-invalid", "true");
  input.closest("details")?.setAttribute("open", "");
  input.focus();
}

/** The service's words, each beside its field; the first field gets the focus. */
function showRefusal(status, text) {
  let detail;
  try {
    ({ detail } = JSON.parse(text));
  } catch {
    detail = `The service answered ${status}.`;
  }
  if (!Array.isArray(detail)) return showError("error", detail);
  for (const { loc, msg, input } of detail.toReversed()) {
    showError(loc.at(-1), msg);
    if (input?.channels) offer(input);
  }
  return undefined;
}

/** What the file says of itself, as the fields' placeholders, where something else is missing. */
function offer({ sampling_rate, rpm, channels }) {
  if (sampling_rate) byId("sampling_rate").placeholder = `${number(sampling_rate, 7)}, says the file`;
  if (rpm) byId("rpm").placeholder = `${number(rpm, 7)}, says the file`;
  byId("channels").replaceChildren(...channels.map((name) => element("option", { value: name })));
}

// ---- the answer

function show(received) {
  answer = received;
  chosenWindow = null;
  byId("results").hidden = false;
  showVerdict();
  showBars(answer.probabilities, answer.familiarity, answer.prediction);
  showLines();
  showStrip();
  drawAll();
  byId("results").focus({ preventScroll: true });
  byId("results").scrollIntoView({ block: "start" });
}

function showVerdict() {
  const { prediction, reason, probabilities, agreement, recording, warnings } = answer;
  byId("verdict_card").style.setProperty("--state", `var(--${prediction})`);
  byId("verdict").textContent = NAMES[prediction];
  const sure = probabilities[prediction];
  const lines = { supports: "its lines in the envelope spectrum support it", contradicts: "the lines in the envelope spectrum contradict it",
    inconclusive: "the lines in the envelope spectrum settle nothing" }[agreement.verdict];
  byId("because").textContent = reason ? `${reason[0].toUpperCase()}${reason.slice(1)}.` : `${percent(sure)} sure; ${lines}.`;
  const example = asked.example ? ` · simulated, made as: ${NAMES[asked.example.label]}` : "";
  byId("subject").textContent = `${recording.file} · ${recording.channels.length > 1 ? `${recording.channel} · ` : ""}${number(recording.seconds, 3)} s at ${number(recording.sampling_rate, 6)} Hz · `
    + `${number(recording.rpm, 5)} rpm · bearing ${recording.bearing}${example}`;
  byId("warnings").replaceChildren(...warnings.map((text) => element("li", { textContent: text })));
  byId("copied").textContent = "";
}

function showBars(probabilities, familiarity, prediction) {
  const bar = (label, share, extra = "") => element("div", { className: `bar ${extra}`, role: "listitem", style: { "--colour": `var(--${label})` } },
    element("span", {}, element(label === prediction ? "strong" : "span", { textContent: NAMES[label] })),
    element("span", { className: "track" },
      element("span", { className: "fill", style: { display: "block", width: `${100 * share}%` } }),
      ...(extra ? [element("span", { className: "mark", style: { left: "99%" } })] : [])),
    element("span", { className: "value", textContent: percent(share) }));
  byId("bars").replaceChildren(
    ...Object.entries(probabilities).sort(([, a], [, b]) => b - a).map(([label, share]) => bar(label, share)),
    bar("Unknown", 1 - familiarity, "apart"));
  byId("bars_note").textContent = `The four sum to 100 % and are calibrated. “Unknown” stands apart: this recording is stranger than ${Math.floor(100 * (1 - familiarity))} % `
    + "of the training’s bearings were to each other; beyond the mark at 99 % damage is given no name.";
}

function showLines() {
  const { agreement, recording } = answer;
  const pill = byId("agreement");
  pill.textContent = agreement.verdict;
  pill.style.setProperty("--state", `var(--${STATES[agreement.verdict]})`);
  byId("explanation").textContent = agreement.explanation;
  byId("lines").replaceChildren(...agreement.lines.map(({ fault, name, order, heights, stands_out }) => element("tr", { className: stands_out ? "out" : "" },
    element("td", {}, element("span", { className: "swatch", style: { "--colour": `var(--${fault})` } }), `${name} (${NAMES[fault].replace(" fault", "").toLowerCase()})`),
    element("td", { textContent: order.toFixed(3) }),
    element("td", { textContent: (order * recording.rpm / 60).toFixed(1) }),
    element("td", { textContent: heights.map((height) => `${height.toFixed(1)}×`).join("  ") }),
    element("td", { textContent: stands_out ? "yes" : "no" }))));
}

function markedLines() {
  const { agreement, recording } = answer;
  const shaft = { name: "shaft", order: 1, colour: colour("soft"), strong: false };
  const cage = { name: "FTF", order: recording.orders.ftf, colour: colour("soft"), strong: false };
  const { orders_per_point: step, amplitude } = answer.series.envelope_spectrum;
  const harmonics = agreement.lines.flatMap(({ fault, name, order, stands_out }) => {
    const short = name.replaceAll(" x ", "");
    return Array.from({ length: Math.floor(step * amplitude.length / order) }, (_, index) => ({
      name: index ? `${index + 1}·${short}` : short, order: (index + 1) * order, colour: colour(fault), strong: stands_out,
    }));
  });
  return [cage, shaft, ...harmonics];
}

function drawAll() {
  const { series, baseline_series: healthy, agreement, recording, window_seconds: seconds } = answer;
  const start = chosenWindow === null ? null : answer.windows[chosenWindow].start;
  for (const id of ["envelope", "spectrum"]) byId(id).closest(".card").hidden = !series.spectrum;
  if (series.spectrum) {
    const step = series.envelope_spectrum.orders_per_point;
    const shown = [{ label: "this recording", step, amplitude: series.envelope_spectrum.amplitude, colour: colour("ink"), width: 1.5 }];
    if (start !== null) shown.push({ label: "the chosen window", step, amplitude: answer.windows[chosenWindow].envelope_spectrum, colour: colour("OuterRace"), width: 1 });
    if (healthy) shown.push({ label: "healthy", step: healthy.envelope_spectrum.orders_per_point, amplitude: healthy.envelope_spectrum.amplitude, colour: colour("healthy"), dash: [6, 4] });
    drawEnvelope(byId("envelope"), shown, markedLines());
    const spectra = [{ label: "this recording", ...series.spectrum, colour: colour("ink") }];
    if (healthy) spectra.push({ label: "healthy", ...healthy.spectrum, colour: colour("healthy"), dash: [6, 4] });
    drawSpectrum(byId("spectrum"), spectra);
  }
  const end = start === null ? recording.seconds : start + seconds;
  drawWaveform(byId("waveform"), series.waveform, start ?? 0, end);
  describePlots(start, end);
}

function describePlots(start, end) {
  const { agreement, baseline_series: healthy, recording } = answer;
  const band = agreement.band.map((edge) => number(edge)).join(" to ");
  byId("envelope_note").textContent = `Squared envelope of ${band} Hz, the band in which a fault’s lines stand highest, mean over all windows`
    + `${healthy ? "; dashed: the healthy baseline" : ""}. Drag to zoom, double-click to return.`;
  byId("envelope").setAttribute("aria-label", `Envelope spectrum over shaft orders. ${agreement.explanation}.`);
  byId("waveform_note").textContent = start === null ? "Lowest and highest value of each stretch." : `The chosen window, ${start.toFixed(2)} to ${end.toFixed(2)} s.`;
  byId("waveform").setAttribute("aria-label", `Waveform, ${number(recording.seconds, 3)} seconds.`);
  byId("spectrum_note").textContent = `Largest peak amplitude of each stretch, mean power of all windows${healthy ? "; dashed: the healthy baseline" : ""}.`;
  byId("spectrum").setAttribute("aria-label", `Amplitude spectrum up to ${number(recording.sampling_rate / 2)} hertz.`);
}

// ---- window by window

function showStrip() {
  const { windows, window_seconds: seconds } = answer;
  byId("strip_card").hidden = !windows.length;
  byId("strip_note").textContent = `${windows.length} windows of ${number(seconds, 2)} s, half overlapping. Choose one, by click or arrow keys, to see it.`;
  byId("strip").replaceChildren(...windows.map(({ start, prediction, probabilities }, index) => {
    const sure = probabilities[prediction];
    const label = `${start.toFixed(2)} s: ${NAMES[prediction]}${sure === undefined ? "" : `, ${percent(sure)}`}`;
    const button = element("button", { type: "button", tabIndex: index ? -1 : 0, title: label, textContent: LETTERS[prediction], style: { "--colour": `var(--${prediction})` } });
    button.setAttribute("role", "option");
    button.setAttribute("aria-selected", "false");
    button.setAttribute("aria-label", label);
    button.onclick = () => chooseWindow(index);
    return button;
  }));
  const present = Object.keys(NAMES).filter((name) => windows.some(({ prediction }) => prediction === name));
  byId("legend").replaceChildren(...present.map((name) => element("span", {}, element("span", { className: "swatch", style: { "--colour": `var(--${name})` } }), `${LETTERS[name]} ${NAMES[name]}`)));
  sayWindow();
}

function chooseWindow(index) {
  chosenWindow = index;
  const buttons = [...byId("strip").children];
  buttons.forEach((button, each) => {
    button.setAttribute("aria-selected", String(each === index));
    button.tabIndex = each === (index ?? 0) ? 0 : -1;
  });
  if (index !== null) buttons[index].focus();
  sayWindow();
  drawAll();
}

function sayWindow() {
  byId("whole").hidden = chosenWindow === null;
  if (chosenWindow === null) return byId("window_says").replaceChildren();
  const { start, prediction, probabilities } = answer.windows[chosenWindow];
  const all = Object.entries(probabilities).sort(([, a], [, b]) => b - a).map(([label, share]) => `${NAMES[label].toLowerCase()} ${percent(share)}`).join(", ");
  byId("window_says").textContent = `Window ${chosenWindow + 1} of ${answer.windows.length}, from ${start.toFixed(2)} s: ${NAMES[prediction]} (${all}).`;
  return undefined;
}

function moveAlongStrip(event) {
  const last = answer.windows.length - 1;
  const now = [...byId("strip").children].indexOf(document.activeElement);
  const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last }[event.key];
  if (event.key === "Escape" && chosenWindow !== null) chooseWindow(null);
  else if (to !== undefined) chooseWindow(Math.min(Math.max(to, 0), last));
  else return;
  event.preventDefault();
}

// ---- the baseline, kept in this browser

function openStore() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("bearing-diagnosis", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("baseline");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function inStore(mode, act) {
  const store = await openStore();
  return new Promise((resolve, reject) => {
    const request = act(store.transaction("baseline", mode).objectStore("baseline"));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function keepBaseline(files) {
  baseline = files;
  showBaseline();
  try {
    await inStore("readwrite", (store) => (files.length ? store.put(files, "files") : store.clear()));
  } catch {
    byId("baseline_state").textContent += " (this browser keeps nothing: choose it again next time)";
  }
}

function showBaseline() {
  byId("forget").hidden = !baseline.length;
  byId("baseline_state").textContent = baseline.length ? `(${baseline.map(({ name }) => name).join(", ")})` : "(none: healthy or damaged is the weaker half of the answer)";
}

// ---- what the service offers

async function getJson(path) {
  const response = await fetch(`${SERVICE}/${path}`);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

async function showModel() {
  let model;
  try {
    model = await getJson("model/");
  } catch {
    byId("scores").replaceChildren(element("p", { className: "error", textContent: `No answer from ${SERVICE}: is the service running?` }));
    return;
  }
  byId("bearings").replaceChildren(...Object.keys(model.bearings).map((name) => element("option", { value: name })));
  byId("limits").textContent = `, up to ${number(model.upload.most_bytes / 1e6, 3)} MB, ${number(model.upload.least_sampling_rate)} Hz or more`;
  byId("scores").replaceChildren(...describeScores(model.protocols));
  const { model_sha256: single, diagnosis_sha256: whole, git_commit: commit, dvc_lock_sha256: lock } = model.versions;
  byId("provenance").textContent = `Model ${whole.slice(0, 12)} (recordings), ${single.slice(0, 12)} (single windows) · commit ${commit.slice(0, 12)} · data and parameters ${lock.slice(0, 12)}`;
}

const PROTOCOLS = {
  random: "windows of recordings it was trained on", load: "motor loads it was not trained on",
  bearing: "bearings it was not trained on", combinations: "bearings it was not trained on, fault sizes mixed",
  rig: "another rig, nothing trained there (inner or outer race)",
};

function describeScores(protocols) {
  const name = protocols.headline_network;
  const rows = Object.entries(PROTOCOLS).filter(([protocol]) => protocols[protocol]?.[name]).map(([protocol, words]) => {
    const { mean, spread } = protocols[protocol][name];
    return element("tr", {}, element("td", { textContent: words }), element("td", { textContent: `${mean.macro_f1.toFixed(3)} ± ${spread.macro_f1.toFixed(3)}` }));
  });
  if (!rows.length) return [element("p", { textContent: "The service carries no scores." })];
  const head = element("tr", {}, element("th", { scope: "col", textContent: "Tried on" }), element("th", { scope: "col", textContent: "macro-F1, mean and deviation" }));
  return [
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
    element("p", { className: "hint", textContent: "Measured on the public CWRU and MFPT recordings with artificial faults; the recipe was chosen with sight of these results, "
      + "so they show what it can do and are no blind test. Ball faults on a machine it never heard seldom show lines of their own: do not rely on it there. "
      + "Normal is one healthy bearing: give a healthy baseline wherever you can." }),
  ];
}

async function showExamples() {
  let examples;
  try {
    examples = await getJson("examples/index.json");
  } catch {
    return; // a service without examples
  }
  byId("examples").hidden = false;
  byId("example_buttons").replaceChildren(...examples.map((example) => {
    const button = element("button", { type: "button", textContent: example.title });
    button.onclick = () => tryExample(example);
    return button;
  }));
}

async function tryExample(example) {
  const load = async (name) => new File([await (await fetch(`${SERVICE}/examples/${name}`)).blob()], name);
  const file = await load(example.file);
  const healthy = example.baseline ? [await load(example.baseline)] : [];
  byId("form").reset();
  byId("rpm").value = example.rpm;
  byId("bearing").value = example.bearing;
  byId("chosen").textContent = `${file.name} (simulated)${healthy.length ? `, beside ${example.baseline}` : ""}`;
  chosen = { file, example, healthy };
  await submit();
}

async function submit() {
  const { file, example, healthy } = chosen ?? {};
  await diagnose(file, readForm(), healthy ?? baseline, example);
}

function choose(file) {
  chosen = { file };
  byId("chosen").textContent = `${file.name}, ${number(file.size / 1e6, 3)} MB`;
  for (const name of ["sampling_rate", "rpm"]) byId(name).placeholder = "from the file";
  return submit();
}

// ---- taking the answer along

const quote = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

function asCurl() {
  const { file, fields, healthy } = asked;
  const parts = [`file=@${file.name}`, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`), ...healthy.map(({ name }) => `baseline=@${name}`)];
  return `curl ${parts.map((part) => `-F ${quote(part)}`).join(" ")} ${quote(`${SERVICE}/diagnose/`)}`;
}

async function copyCurl() {
  try {
    await navigator.clipboard.writeText(asCurl());
    byId("copied").textContent = "Copied.";
  } catch {
    byId("copied").textContent = asCurl(); // no permission, or no https: then to be copied by hand
  }
}

function saveJson() {
  const link = element("a", { href: URL.createObjectURL(new Blob([JSON.stringify(answer)], { type: "application/json" })), download: `${answer.recording.file}.diagnosis.json` });
  link.click();
  URL.revokeObjectURL(link.href);
}

// ---- listening

function listen() {
  byId("docs").href = `${SERVICE}/docs`;
  byId("form").onsubmit = (event) => { event.preventDefault(); submit(); };
  byId("file").onchange = ({ target }) => target.files.length && choose(target.files[0]);
  byId("baseline").onchange = ({ target }) => keepBaseline([...target.files]);
  byId("forget").onclick = () => { byId("baseline").value = ""; keepBaseline([]); };
  byId("curl").onclick = copyCurl;
  byId("json").onclick = saveJson;
  byId("whole").onclick = () => chooseWindow(null);
  byId("strip").onkeydown = moveAlongStrip;
  const drop = byId("drop");
  document.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
  document.ondragleave = () => drop.classList.remove("over");
  document.ondrop = (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) choose(event.dataTransfer.files[0]);
  };
  addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => answer && drawAll());
}

async function main() {
  listen();
  await Promise.all([showModel(), showExamples()]);
  try {
    baseline = (await inStore("readonly", (store) => store.get("files"))) ?? [];
  } catch {
    baseline = [];
  }
  showBaseline();
}

main();
