// Window by window: a button for each window of the recording, and the window that a person looks at.

import { drawAnswer } from "./answer_plots.js";
import { byId, element, number, percent } from "./dom.js";
import { LETTERS, NAMES } from "./labels.js";

const MANY = 100; // windows from which the buttons have neither gaps nor letters

let answer = null;
let chosenWindow = null; // its index, null for the whole recording

/** Show the windows of an answer; none is chosen. */
export function showStrip(given) {
  answer = given;
  chosenWindow = null;
  const { windows, window_seconds: seconds, recording } = answer;
  byId("strip_card").hidden = !windows.length;
  byId("strip").className = windows.length > MANY ? "many" : "";
  byId("strip_end").textContent = `${number(recording.seconds, 3)} s`;
  byId("strip_note").textContent = `${windows.length} windows of ${number(seconds, 2)} s, half overlapping. Choose one, by click or arrow keys, to see it.`;
  byId("strip").replaceChildren(...windows.map(buttonOf));
  byId("legend").replaceChildren(...describeLegend(windows));
  describeWindow();
}

function buttonOf({ start, prediction, probabilities }, index) {
  const sure = probabilities[prediction];
  const label = `${start.toFixed(2)} s: ${NAMES[prediction]}${sure === undefined ? "" : `, ${percent(sure)}`}`;
  const button = element("button", { type: "button", tabIndex: index ? -1 : 0, title: label, textContent: LETTERS[prediction], style: { "--colour": `var(--${prediction})` } });
  button.setAttribute("role", "option");
  button.setAttribute("aria-selected", "false");
  button.setAttribute("aria-label", label);
  button.onclick = () => chooseWindow(index);
  return button;
}

function describeLegend(windows) {
  const counted = Object.keys(NAMES).map((name) => [name, windows.filter(({ prediction }) => prediction === name).length]);
  return counted.filter(([, count]) => count).map(([name, count]) => element("span", {},
    element("span", { className: "swatch", style: { "--colour": `var(--${name})` } }), `${LETTERS[name]} ${NAMES[name]}: ${count}`));
}

/** Show one window beside the whole recording, or the whole recording again (null). */
export function chooseWindow(index) {
  const buttons = [...byId("strip").children];
  const focused = index ?? chosenWindow ?? 0;
  chosenWindow = index;
  buttons.forEach((button, each) => {
    button.setAttribute("aria-selected", String(each === index));
    button.tabIndex = each === focused ? 0 : -1;
  });
  buttons[focused].focus();
  describeWindow();
  redraw();
}

function describeWindow() {
  byId("whole").hidden = chosenWindow === null;
  if (chosenWindow === null) return byId("window_says").replaceChildren();
  const { start, prediction, probabilities } = answer.windows[chosenWindow];
  const all = Object.entries(probabilities).sort(([, a], [, b]) => b - a).map(([label, share]) => `${NAMES[label].toLowerCase()} ${percent(share)}`).join(", ");
  byId("window_says").textContent = `Window ${chosenWindow + 1} of ${answer.windows.length}, from ${start.toFixed(2)} s: ${NAMES[prediction]} (${all}).`;
  return undefined;
}

/** Draw the plots of the answer, if there is one, with the chosen window. */
export function redraw() {
  if (answer) drawAnswer(answer, chosenWindow);
}

export function moveAlongStrip(event) {
  const last = answer.windows.length - 1;
  const now = [...byId("strip").children].indexOf(document.activeElement);
  const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last }[event.key];
  if (event.key === "Escape" && chosenWindow !== null) chooseWindow(null);
  else if (to !== undefined) chooseWindow(Math.min(Math.max(to, 0), last));
  else return;
  event.preventDefault();
}
