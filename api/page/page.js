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
const PATIENCE = 120_000; // ms, from the end of the upload
const percent = (share) => (share > 0.995 ? "over 99 %" : share < 0.005 ? "under 1 %" : `${(100 * share).toFixed(0)} %`);
const number = (value, digits = 4) => value.toLocaleString("en", { maximumSignificantDigits: digits });

let chosen = null; // {file, example, healthy}: what a person picked
let baseline = []; // files, kept in this browser
let asked = null; // what the answer shown is the answer to
let answer = null;
let pending = null; // the request on its way; an earlier one is given up
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

/** 12,000, 12.000 and 12 000 are twelve thousand, for no rate or speed needs three decimals; 1797,5 has a decimal comma. */
function plainNumber(text) {
  const close = text.replace(/[\s'’]/g, "");
  return /^\d{1,3}([.,]\d{3})+$/.test(close) ? close.replace(/[.,]/g, "") : close.replace(",", ".");
}

/** Send a question; resolves to status, Retry-After and text, or to null where it was given up for another. */
function ask({ file, fields, healthy }) {
  const body = new FormData();
  body.append("file", file, file.name);
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  for (const each of healthy) body.append("baseline", each, each.name);
  const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
  pending?.abort();
  pending = request;
  request.open("POST", `${SERVICE}/diagnose/`);
  for (const [name, value] of Object.entries(keyHeader())) request.setRequestHeader(name, value);
  request.upload.onprogress = ({ loaded, total }) => showProgress("Sending", loaded / total);
  request.upload.onload = () => {
    showProgress("Diagnosing", null);
    setTimeout(() => request.readyState < 2 && request.dispatchEvent(new Event("timeout")), PATIENCE);
  };
  return new Promise((resolve, reject) => {
    request.onload = () => resolve({ status: request.status, retry: request.getResponseHeader("Retry-After"), text: request.responseText });
    request.onabort = () => resolve(null);
    request.onerror = () => reject(new Error(unreachable()));
    request.ontimeout = () => reject(new Error(`No answer from ${SERVICE} within two minutes.`));
    request.send(body);
  });
}

const keyHeader = () => (byId("api_key").value ? { "X-API-Key": byId("api_key").value } : {});

function askForKey() {
  byId("key_row").hidden = false;
  showError("api_key", "This service asks for a key.");
}

const unreachable = () => (location.protocol === "file:"
  ? "This page was opened as a file: open it through the service, or name the service in its <meta name=\"service\">."
  : `No answer from ${SERVICE}: is the service running?`);

async function diagnose(question) {
  clearErrors();
  if (!question.file) return showError("file", "Choose a recording first, or one of the examples.");
  markStale(`The answer to ${asked?.file.name}, before your changes.`);
  byId("submit").disabled = true;
  showProgress("Sending", 0);
  let given;
  try {
    given = await ask(question);
    if (given?.status === 200) {
      answer = JSON.parse(given.text);
      asked = question;
      show();
    } else if (given) showRefusal(given);
  } catch (error) {
    showError("error", error instanceof SyntaxError ? `${SERVICE} answered something else than a diagnosis.` : error.message);
  }
  if (given === null) return undefined; // another question is on its way
  byId("submit").disabled = false;
  byId("waiting").hidden = true;
  return undefined;
}

/** What is shown no longer answers what stands in the form. */
function markStale(words) {
  if (!answer) return;
  byId("results").classList.add("stale");
  byId("stale").textContent = words;
  byId("stale").hidden = false;
}

function showProgress(words, share) {
  byId("waiting").hidden = false;
  byId("waiting_label").textContent = words;
  if (share === null) byId("progress").removeAttribute("value");
  else byId("progress").value = share;
}

// ---- errors

function clearErrors() {
  for (const place of document.querySelectorAll("form .error")) {
    place.hidden = true;
    place.textContent = ""; // fields are described by it, hidden or not
  }
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
function showRefusal({ status, retry, text }) {
  if (status === 401) return askForKey();
  if (status === 503) return showError("error", `The service is busy: try again${retry ? ` in ${retry} s` : ""}.`);
  if (status >= 500) return showError("error", `The service failed (${status}); its log says why.`);
  const { detail } = JSON.parse(text);
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

function show() {
  chosenWindow = null;
  byId("results").hidden = false;
  byId("results").classList.remove("stale");
  byId("stale").hidden = true;
  offer({ channels: answer.recording.channels });
  showVerdict();
  showBars();
  showLines();
  showStrip();
  drawAll();
  byId("results").focus({ preventScroll: true });
  byId("results").scrollIntoView({ block: "start" });
}

const SUPPORT = {
  supports: "its lines in the envelope spectrum support it", contradicts: "but the lines in the envelope spectrum contradict it",
  inconclusive: "the lines in the envelope spectrum settle nothing",
};
const NEXT = {
  supports: "Next: look at the windows over time, compare with an earlier recording, and plan the repair.",
  contradicts: "Next: check speed, sampling rate and bearing, give a healthy baseline, and record again before you open the machine.",
  inconclusive: "Next: give a healthy baseline or a longer recording before you act on it.",
  healthy: "Next: keep this recording. With ten seconds or more it can be this machine’s healthy baseline.",
  Unknown: "Next: mend what is named above and record again, or give a healthy baseline.",
};

function showVerdict() {
  const { prediction, reason, probabilities, agreement, warnings } = answer;
  const contradicted = agreement.verdict === "contradicts";
  byId("verdict_card").style.setProperty("--state", `var(--${prediction})`);
  byId("verdict").textContent = NAMES[prediction] + (contradicted ? "?" : "");
  const support = prediction === "Normal" && !contradicted ? "no fault’s lines stand out" : SUPPORT[agreement.verdict];
  byId("because").textContent = reason ? `${reason[0].toUpperCase()}${reason.slice(1)}.` : `${percent(probabilities[prediction])} sure; ${support}.`;
  byId("next").textContent = NEXT[prediction === "Unknown" ? "Unknown" : prediction === "Normal" && !contradicted ? "healthy" : agreement.verdict];
  byId("subject").textContent = describeSubject();
  byId("warnings").replaceChildren(...warnings.map((text) => element("li", { textContent: text })));
  byId("copied").textContent = "";
}

function describeSubject() {
  const { recording, baseline: healthy } = answer;
  const facts = ({ seconds, sampling_rate: rate, rpm }) => `${number(seconds, 3)} s at ${number(rate, 6)} Hz, ${number(rpm, 5)} rpm`;
  const made = asked.example && asked.example.label !== "Unknown" ? `simulated, made as: ${NAMES[asked.example.label].toLowerCase()}` : asked.example && "simulated";
  return [
    recording.file, recording.channels.length > 1 && recording.channel, facts(recording), `bearing ${recording.bearing}`, made,
    ...healthy.map((each) => `compared with ${each.file}, ${facts(each)}`),
  ].filter(Boolean).join(" · ");
}

function showBars() {
  const { probabilities, familiarity, prediction, windows, reason } = answer;
  const wereAsked = windows.length > 0;
  byId("not_asked").hidden = wereAsked;
  byId("not_asked").textContent = `The networks were not asked: ${reason}.`;
  const bar = (label, share, value, ...marks) => element("div", { className: `bar ${marks.length ? "apart" : ""}`, role: "listitem", style: { "--colour": `var(--${label})` } },
    element(label === prediction ? "strong" : "span", { textContent: NAMES[label] }),
    element("span", { textContent: value }),
    element("span", { className: "track" }, element("span", { className: "fill", style: { display: "block", width: `${100 * share}%` } }), ...marks));
  const strange = Math.floor(100 * (1 - familiarity));
  const ranked = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
  byId("bars").hidden = byId("bars_note").hidden = !wereAsked;
  byId("bars").replaceChildren(
    ...ranked.map(([label, share]) => bar(label, share, percent(share))),
    bar("Unknown", 1 - familiarity, prediction === "Unknown" ? "yes" : "no", element("span", { className: "mark", style: { left: "99%" } })));
  byId("bars_note").textContent = "The four sum to 100 % and are calibrated. The last bar is none of them but how unlike its training this recording is: "
    + `more than ${strange} of 100 bearings were to the others. From the mark at 99 on, damage is given no name.`;
}

function showLines() {
  const { agreement, recording } = answer;
  const pill = byId("agreement");
  pill.textContent = agreement.verdict;
  pill.style.setProperty("--state", `var(--${STATES[agreement.verdict]})`);
  byId("explanation").textContent = agreement.explanation;
  byId("lines").replaceChildren(...agreement.lines.map(({ fault, name, order, heights, stands_out }) => element("tr", { className: stands_out ? "out" : "" },
    element("td", {}, element("span", { className: "swatch", style: { "--colour": `var(--${fault})` } }), name, element("br"), element("span", { className: "hint", textContent: NAMES[fault].replace(" fault", "").toLowerCase() })),
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
    const named = (harmonic) => (name === "2 x BSF" ? `${2 * harmonic}×BSF` : harmonic > 1 ? `${harmonic}×${name}` : name);
    return Array.from({ length: Math.floor(step * amplitude.length / order) }, (_, index) => ({
      name: named(index + 1), order: (index + 1) * order, colour: colour(fault), strong: stands_out,
    }));
  });
  return [cage, shaft, ...harmonics];
}

function drawAll() {
  const { series, baseline_series: healthy, agreement, recording, window_seconds: seconds } = answer;
  const start = chosenWindow === null ? null : answer.windows[chosenWindow].start;
  byId("envelope").closest(".card").hidden = !series.envelope_spectrum; // where the shaft is too slow to show lines
  byId("spectrum").closest(".card").hidden = !series.spectrum;
  if (series.envelope_spectrum) {
    const step = series.envelope_spectrum.orders_per_point;
    const shown = [{ label: "this recording", step, amplitude: series.envelope_spectrum.amplitude, colour: colour("ink"), width: 1.5 }];
    if (start !== null) shown.push({ label: "the chosen window", step, amplitude: answer.windows[chosenWindow].envelope_spectrum, colour: colour("window"), width: 1 });
    if (healthy) shown.push({ label: "healthy", step: healthy.envelope_spectrum.orders_per_point, amplitude: healthy.envelope_spectrum.amplitude, colour: colour("healthy"), dash: [6, 4] });
    drawEnvelope(byId("envelope"), shown, markedLines());
  }
  if (series.spectrum) {
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
  byId("strip").className = windows.length > 100 ? "many" : "";
  byId("strip_end").textContent = `${number(answer.recording.seconds, 3)} s`;
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
  byId("legend").replaceChildren(...present.map((name) => element("span", {}, element("span", { className: "swatch", style: { "--colour": `var(--${name})` } }), `${LETTERS[name]} ${NAMES[name]}: ${windows.filter(({ prediction }) => prediction === name).length}`)));
  sayWindow();
}

function chooseWindow(index) {
  const buttons = [...byId("strip").children];
  const focused = index ?? chosenWindow ?? 0;
  chosenWindow = index;
  buttons.forEach((button, each) => {
    button.setAttribute("aria-selected", String(each === index));
    button.tabIndex = each === focused ? 0 : -1;
  });
  buttons[focused].focus();
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
  if (chosen) chosen.healthy = null; // an example's own no longer counts
  showBaseline();
  markStale("The answer before the baseline was changed: press Diagnose for a new one.");
  try {
    await inStore("readwrite", (store) => (files.length ? store.put(files, "files") : store.clear()));
  } catch {
    byId("baseline_state").textContent += " (this browser keeps nothing: choose it again next time)";
  }
}

async function recallBaseline() {
  try {
    const kept = await inStore("readonly", (store) => store.get("files"));
    if (!baseline.length) baseline = kept ?? [];
  } catch {
    return; // this browser keeps nothing
  }
  showBaseline();
}

function showBaseline() {
  byId("forget").hidden = !baseline.length;
  byId("baseline_state").textContent = baseline.length ? `(${baseline.map(({ name }) => name).join(", ")})` : "(none: healthy or damaged is the weaker half of the answer)";
}

// ---- what the service offers

async function getJson(path) {
  const response = await fetch(`${SERVICE}/${path}`, { headers: keyHeader() });
  if (response.status === 401) askForKey();
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

async function showModel() {
  let model;
  try {
    model = await getJson("model/");
  } catch (error) {
    if (!(error instanceof TypeError)) return; // it answered, but not with the model
    byId("scores").replaceChildren(element("p", { className: "error", textContent: unreachable() }));
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
  try {
    const load = async (name) => {
      const response = await fetch(`${SERVICE}/examples/${name}`, { headers: keyHeader() });
      if (!response.ok) throw new Error(`${name} is not to be had (${response.status}).`);
      return new File([await response.blob()], name);
    };
    for (const name of FIELDS) byId(name).value = "";
    chosen = { file: await load(example.file), example, healthy: example.baseline ? [await load(example.baseline)] : [] };
  } catch (error) {
    return showError("error", error instanceof TypeError ? unreachable() : error.message);
  }
  byId("rpm").value = example.rpm;
  byId("bearing").value = example.bearing;
  byId("chosen").textContent = `${example.file} (simulated)${example.baseline ? `, beside ${example.baseline}` : ""}`;
  return submit();
}

async function submit() {
  await recalled;
  const { file, example, healthy } = chosen ?? {};
  await diagnose({ file, example, fields: readForm(), healthy: healthy ?? baseline });
}

/** Take a person's file; what an example had filled in is not said of it. */
function choose(file) {
  if (chosen?.example) for (const name of FIELDS) byId(name).value = "";
  chosen = { file };
  byId("file").value = ""; // so that choosing the same file again is noticed
  byId("chosen").textContent = `${file.name}, ${file.size < 1e5 ? `${number(file.size)} bytes` : `${number(file.size / 1e6, 3)} MB`}`;
  for (const name of ["sampling_rate", "rpm"]) byId(name).placeholder = "from the file";
  byId("channels").replaceChildren();
  return submit();
}

function drop(event) {
  event.preventDefault();
  byId("drop").classList.remove("over");
  const items = [...event.dataTransfer.items].filter(({ kind }) => kind === "file");
  if (!items.length) return undefined;
  if (items.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) return showError("file", "That is a folder: drop one recording, or try api/diagnose.py for folders.");
  const files = [...event.dataTransfer.files];
  if (event.target.closest?.("#healthy")) return keepBaseline(files);
  if (files.length > 1) return showError("file", `${files.length} files came: drop one recording at a time.`);
  return choose(files[0]);
}

// ---- taking the answer along

const quote = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

function asCurl() {
  const { file, fields, healthy } = asked;
  const parts = [`file=@${file.name}`, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`), ...healthy.map(({ name }) => `baseline=@${name}`)];
  const key = byId("api_key").value ? "-H 'X-API-Key: YOUR-KEY' " : "";
  return `curl ${key}${parts.map((part) => `-F ${quote(part)}`).join(" ")} ${quote(`${SERVICE}/diagnose/`)}`;
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
  byId("forget").onclick = () => { byId("baseline").value = ""; keepBaseline([]); byId("baseline").focus(); };
  byId("form").oninput = ({ target }) => target.type !== "file" && markStale("The answer before your changes: press Diagnose for a new one.");
  byId("api_key").onchange = () => { clearErrors(); showModel(); showExamples(); };
  byId("curl").onclick = copyCurl;
  byId("json").onclick = saveJson;
  byId("whole").onclick = () => chooseWindow(null);
  byId("strip").onkeydown = moveAlongStrip;
  document.ondragover = (event) => { event.preventDefault(); byId("drop").classList.add("over"); };
  document.ondragleave = () => byId("drop").classList.remove("over");
  document.ondrop = drop;
  addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => answer && drawAll());
}

listen();
const recalled = recallBaseline();
showModel();
showExamples();
