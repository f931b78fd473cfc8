// The answer in words, bars and a table: verdict, probabilities, and what the lines say.

import { drawAnswer } from "./answer_plots.js";
import { showChannels } from "./channels.js";
import { byId, element, number, percent } from "./dom.js";
import { offer } from "./form.js";
import { NAMES } from "./labels.js";
import { rowOf } from "./lines.js";
import { showStrip } from "./strip.js";

export let answer = null;
export let question = null; // which the answer answers: file, example, fields, healthy

export function showAnswer(given, asked, chooseChannel) {
  answer = given;
  question = asked;
  byId("results").hidden = false;
  byId("results").classList.remove("stale");
  byId("stale").hidden = true;
  offer({ channels: answer.recording.channels });
  showVerdict();
  showChannels(answer, question.file, chooseChannel);
  showBars();
  showLines();
  showStrip(answer);
  drawAnswer(answer, null);
  byId("results").focus({ preventScroll: true });
  byId("results").scrollIntoView({ block: "start" });
}

/** Say that the answer shown, if there is one, is no answer to what the form says now. */
export function markStale(words) {
  if (!answer) return;
  byId("results").classList.add("stale");
  byId("stale").textContent = words;
  byId("stale").hidden = false;
}

// ---- verdict

const SUPPORT = {
  supports: "its lines in the envelope spectrum support it", contradicts: "but the lines in the envelope spectrum contradict it",
  inconclusive: "the lines in the envelope spectrum settle nothing",
};
const NEXT = {
  estimated: "Next: give the bearing’s geometry, or a recording of this machine when it was healthy.",
  supports: "Next: look at the windows over time, compare with an earlier recording, and plan the repair.",
  contradicts: "Next: check speed, sampling rate and bearing, give a healthy baseline, and record again before you open the machine.",
  inconclusive: "Next: give a healthy baseline or a longer recording before you act on it.",
  healthy: "Next: keep this recording. With ten seconds or more it can be this machine’s healthy baseline.",
  Unknown: "Next: mend what is named above and record again, or give a healthy baseline.",
  uncertain: "Next: give a recording of this machine when it was healthy: only that can settle it.",
};

function showVerdict() {
  const { prediction, reason, probabilities, agreement, warnings } = answer;
  const contradicted = agreement.verdict === "contradicts";
  const healthy = prediction === "Normal" && !contradicted;
  const support = healthy ? "no fault’s lines stand out" : SUPPORT[agreement.verdict];
  byId("verdict_card").style.setProperty("--state", `var(--${prediction})`);
  byId("verdict").textContent = NAMES[prediction] + (contradicted ? "?" : "");
  byId("because").textContent = reason ? `${reason[0].toUpperCase()}${reason.slice(1)}.` : `${percent(probabilities[prediction])} sure; ${support}.`;
  const unknown = reason.startsWith("uncertain") ? "uncertain" : "Unknown";
  byId("next").textContent = NEXT[prediction === "Unknown" ? unknown : healthy ? "healthy" : estimated() && agreement.verdict === "supports" ? "estimated" : agreement.verdict];
  byId("subject").textContent = describeSubject();
  byId("warnings").replaceChildren(...warnings.map((text) => element("li", { textContent: text })));
  byId("copied").textContent = "";
}

function describeSubject() {
  const { recording, baseline } = answer;
  const facts = ({ seconds, sampling_rate: rate, rpm }) => `${number(seconds, 3)} s at ${number(rate, 6)} Hz, ${number(rpm, 5)} rpm`;
  return [
    recording.file, recording.channels.length > 1 && recording.channel, facts(recording), recording.unit && `in ${recording.unit}`, recording.taken_at && `recorded ${recording.taken_at}`, `bearing ${recording.bearing}`, describeExample(question.example),
    ...baseline.map((each) => `compared with ${each.file}, ${facts(each)}`),
  ].filter(Boolean).join(" · ");
}

function describeExample(example) {
  if (!example) return "";
  return example.label === "Unknown" ? "simulated" : `simulated, made as: ${NAMES[example.label].toLowerCase()}`;
}

// ---- what the networks say

const NAMELESS = 99; // % of training's windows: damage that is more unlike training gets no name

function showBars() {
  const { probabilities, familiarity, prediction, windows, reason } = answer;
  const wereAsked = windows.length > 0;
  const ranked = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
  const mark = element("span", { className: "mark", style: { left: `${NAMELESS}%` } });
  byId("not_asked").hidden = wereAsked;
  byId("not_asked").textContent = estimated()
    ? "Single windows are not judged: the bearing is known by its size alone. Of the whole recording the networks have to confirm what its lines say."
    : `The networks were not asked: ${reason || "the shaft turns too seldom in a window"}.`;
  byId("bars").hidden = byId("bars_note").hidden = !wereAsked;
  byId("bars").replaceChildren(
    ...ranked.map(([label, share]) => bar(label, share, percent(share))),
    bar("Unknown", 1 - familiarity, prediction === "Unknown" ? "yes" : "no", mark));
  byId("bars_note").textContent = "The four sum to 100 % and are calibrated. The last bar is not one of them: it says how unlike its training this recording is. "
    + `Of 100 windows of training’s bearings, each bearing left out in turn, ${Math.floor(100 * (1 - familiarity))} were less unlike the other bearings. `
    + `From the mark at ${NAMELESS} on, damage is given no name.`;
}

const estimated = () => Boolean(answer.recording.order_ranges);

function bar(label, share, value, ...marks) {
  const fill = element("span", { className: "fill", style: { display: "block", width: `${100 * share}%` } });
  return element("div", { className: `bar ${marks.length ? "apart" : ""}`, role: "listitem", style: { "--colour": `var(--${label})` } },
    element(label === answer.prediction ? "strong" : "span", { textContent: NAMES[label] }),
    element("span", { textContent: value }),
    element("span", { className: "track" }, fill, ...marks));
}

// ---- what the lines say

const STATES = { supports: "Normal", contradicts: "InnerRace", inconclusive: "Unknown" }; // whose colour the word has

function showLines() {
  const { agreement, recording } = answer;
  byId("agreement").textContent = agreement.verdict;
  byId("agreement").style.setProperty("--state", `var(--${STATES[agreement.verdict]})`);
  byId("explanation").textContent = agreement.explanation;
  byId("lines").replaceChildren(...agreement.lines.map((line) => rowOf(line, (recording.rpm * answer.speed_factor) / 60)));
}
