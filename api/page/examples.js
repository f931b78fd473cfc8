// Simulated recordings that come with the service, one button each.

import { byId, element } from "./dom.js";
import { clearFields, showError } from "./form.js";
import { get } from "./service.js";
import { chooseExample } from "./upload.js";

export async function showExamples() {
  let examples;
  try {
    examples = await (await get("examples/index.json")).json();
  } catch {
    return; // the service carries no examples, or asks for a key first
  }
  byId("examples").hidden = false;
  byId("example_buttons").replaceChildren(...examples.map((example) => {
    const button = element("button", { type: "button", textContent: example.title });
    button.onclick = () => tryExample(example);
    return button;
  }));
}

async function tryExample(example) {
  clearFields();
  try {
    const [file, ...healthy] = await Promise.all([example.file, example.baseline].filter(Boolean).map(load));
    return chooseExample(example, file, healthy);
  } catch (error) {
    return showError("error", error.message);
  }
}

const load = async (name) => new File([await (await get(`examples/${name}`)).blob()], name);
