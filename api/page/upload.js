// From the choice of a recording to its diagnosis.

import { markStale, question as answered, showAnswer } from "./answer.js";
import { ALL } from "./channels.js";
import { baseline, keepBaseline, recalled } from "./baseline.js";
import { byId, number } from "./dom.js";
import { clearErrors, clearFields, hideProgress, readForm, showError, showProgress, showRefusal, withdrawOffer } from "./form.js";
import { limits } from "./model.js";
import { SERVICE, send } from "./service.js";

const TRANSFER = 10; // s that a network may need beside the time in which the service answers

let chosen = null; // the file, and for an example what is known of it and its own baseline

/** Take a person's file; what an example had filled in does not hold for it. */
export function choose(file) {
  if (chosen?.example) clearFields();
  chosen = { file };
  byId("file").value = ""; // so that the browser also reports when the same file is chosen again
  byId("chosen").textContent = `${file.name}, ${file.size < 1e5 ? `${number(file.size)} bytes` : `${number(file.size / 1e6, 3)} MB`}`;
  withdrawOffer();
  return submit();
}

export function chooseExample(example, file, healthy) {
  chosen = { file, example, healthy };
  byId("rpm").value = example.rpm;
  byId("bearing").value = example.bearing;
  byId("chosen").textContent = `${example.file} (simulated)${example.baseline ? `, beside ${example.baseline}` : ""}`;
  return submit();
}

/** Take healthy recordings, none to forget them; from now on they count instead of an example's own. */
export function chooseBaseline(files) {
  if (chosen) chosen.healthy = null;
  markStale("The answer before the baseline was changed: press Diagnose for a new one.");
  return keepBaseline(files);
}

export function drop(event) {
  event.preventDefault();
  byId("drop").classList.remove("over");
  const items = [...event.dataTransfer.items].filter(({ kind }) => kind === "file");
  if (!items.length) return undefined;
  if (items.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) return showError("file", "That is a folder: drop one recording, or try api/diagnose.py for folders.");
  const files = [...event.dataTransfer.files];
  if (event.target.closest?.("#healthy")) return chooseBaseline(files);
  if (files.length > 1) return showError("file", `These are ${files.length} files: drop one recording at a time.`);
  return choose(files[0]);
}

/** Ask the service about the chosen recording with what the form says now. */
export async function submit() {
  await recalled;
  clearErrors();
  if (!chosen) return showError("file", "Choose a recording first, or one of the examples.");
  const question = { file: chosen.file, example: chosen.example, fields: readForm(), healthy: chosen.healthy ?? baseline };
  markStale(`The answer to ${answered?.file.name}, before your changes.`);
  showProgress("Sending", 0);
  const over = await ask(question);
  if (over) hideProgress();
  return undefined;
}

/** Resolves to false where a later question has taken the place of this one. */
async function ask(question) {
  try {
    const given = await send(question, showProgress, limits ? limits.answer_timeout + TRANSFER : undefined);
    if (given === null) return false;
    if (given.status === 200) showAnswer(JSON.parse(given.text), question, chooseChannel);
    else if (asksForChannel(given) && !question.fields.channel) return ask({ ...question, fields: { ...question.fields, channel: ALL } });
    else showRefusal(given);
  } catch (error) {
    showError("error", error instanceof SyntaxError ? `${SERVICE} answered something else than a diagnosis.` : error.message);
  }
  return true;
}

/** A file of several channels, none of which was named: all are asked for. */
function asksForChannel({ status, text }) {
  return status === 422 && JSON.parse(text).detail.every(({ loc }) => loc.at(-1) === "channel");
}

function chooseChannel(channel) {
  byId("channel").value = channel;
  return submit();
}
