// All channels of a file as a table, the most damaged first, to choose one from.

import { byId, element, percent } from "./dom.js";
import { NAMES } from "./labels.js";

export const ALL = "all";
let shownFor = null; // the file whose channels are listed: choosing one of them keeps the list

export function showChannels(answer, file, choose) {
  if (answer.all_channels) {
    byId("channel_rows").replaceChildren(...answer.all_channels.map((each) => rowOf(each, choose)));
    shownFor = file;
  }
  byId("channels_card").hidden = shownFor !== file;
  for (const row of byId("channel_rows").children) {
    row.querySelector("button").toggleAttribute("aria-current", row.dataset.channel === answer.recording.channel);
  }
}

function rowOf({ channel, prediction, reason, probabilities, agreement }, choose) {
  const button = element("button", { type: "button", className: "link", textContent: channel, disabled: !prediction, onclick: () => choose(channel) });
  const found = prediction ? NAMES[prediction] : "Not diagnosed";
  const sure = prediction && !reason ? percent(probabilities[prediction]) : "";
  const row = element("tr", {}, element("th", { scope: "row" }, button), element("td", { textContent: found }),
    element("td", { textContent: sure }), element("td", { textContent: reason || agreement.explanation }));
  row.dataset.channel = channel;
  return row;
}
