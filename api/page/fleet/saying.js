// What a person says of a point: an alarm is acknowledged, a note is written, the past is learned anew. Each is asked once.

import { byId } from "../dom.js";
import { localTime } from "../moments.js";
import { call } from "../service.js";
import { path } from "./point.js";

const NAME = "bearing-name"; // where the browser keeps who wrote last

const KINDS = {
  acknowledge: { title: "Acknowledge the alarm", words: "It stays open until the machine is well again or learns anew; that you have seen it is written into the history.", text: "Note, may stay empty", confirm: "Acknowledge" },
  note: { title: "Write a note", words: "It stands beside the trend at its time.", text: "Note", needed: true, when: "Of what time", confirm: "Keep the note" },
  anew: { title: "Learn anew", words: "After a repair, or where the first recordings were not healthy: what is healthy is learned again from this time on. Earlier alarms and the history stay.", when: "From", confirm: "Learn anew" },
};

let kind = null;

export function startSaying(done) {
  for (const name of Object.keys(KINDS)) byId(name).onclick = () => ask(name);
  byId("cancel").onclick = () => byId("dialog").close();
  byId("dialog_form").onsubmit = async (event) => {
    event.preventDefault();
    byId("confirm").disabled = true;
    try {
      await say();
      byId("dialog").close();
      await done();
      byId("done").textContent = "Done.";
    } catch (error) {
      byId("dialog_error").textContent = error.message;
      byId("dialog_error").hidden = false;
    } finally {
      byId("confirm").disabled = false;
    }
  };
}

function ask(name) {
  kind = name;
  const { title, words, text, needed, when, confirm } = KINDS[name];
  byId("dialog_title").textContent = title;
  byId("dialog_words").textContent = words;
  byId("by").value ||= localStorage.getItem(NAME) ?? "";
  byId("text_row").hidden = !text;
  byId("text_label").textContent = text ?? "";
  byId("text").required = Boolean(needed);
  byId("text").value = "";
  byId("when_row").hidden = !when;
  byId("when_label").textContent = when ?? "";
  byId("when").required = Boolean(when);
  byId("when").value = localTime(new Date());
  byId("confirm").textContent = confirm;
  byId("dialog_error").hidden = true;
  byId("done").textContent = "";
  byId("dialog").showModal();
}

async function say() {
  const by = byId("by").value.trim(), text = byId("text").value.trim(), at = new Date(byId("when").value).toISOString();
  localStorage.setItem(NAME, by);
  if (kind === "acknowledge") await call("POST", `${path}/alarms/${byId("acknowledge").dataset.alarm}/acknowledge`, { json: { by, note: text || null } });
  else if (kind === "note") await call("POST", `${path}/notes`, { json: { by, text, at } });
  else await call("POST", `${path}/baseline`, { json: { by, from: at } });
}
