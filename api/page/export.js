// What a person takes along: the same request as a curl command, the answer as JSON, and a report.

import { answer, question } from "./answer.js";
import { byId, element } from "./dom.js";
import { SERVICE, formOf, request } from "./service.js";

const quote = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

/** A file as curl's -F reads it: between quotes a name may hold commas and semicolons. */
const named = (field, { name }) => `-F ${quote(`${field}=@"${name.replace(/["\\]/g, "\\$&")}"`)}`;

export function asCurl() {
  const { file, fields, healthy } = question;
  const said = Object.entries(fields).map(([name, value]) => `--form-string ${quote(`${name}=${value}`)}`); // -F ends a value at a semicolon
  const parts = [named("file", file), ...said, ...healthy.map((each) => named("baseline", each))];
  const key = byId("api_key").value ? "-H 'X-API-Key: YOUR-KEY' " : "";
  return `curl ${key}${parts.join(" ")} ${quote(`${SERVICE}/diagnose/`)}`;
}

export async function copyCurl() {
  try {
    await navigator.clipboard.writeText(asCurl());
    byId("copied").textContent = "Copied.";
  } catch {
    byId("copied").textContent = asCurl(); // the browser allows no copying here: a person can mark the text
  }
}

export const saveJson = () => save(new Blob([JSON.stringify(answer)], { type: "application/json" }), "diagnosis.json");

/** Ask the service once more, for the page on the same recording. */
export async function saveReport() {
  try {
    const response = await request("POST", "diagnose/", { form: formOf(question), accept: "text/html" });
    save(await response.blob(), "report.html");
  } catch (error) {
    byId("copied").textContent = error.message;
  }
}

function save(blob, end) {
  const link = element("a", { href: URL.createObjectURL(blob), download: `${answer.recording.file}.${end}` });
  link.click();
  URL.revokeObjectURL(link.href);
}
