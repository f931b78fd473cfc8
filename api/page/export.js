// What a person takes along: the same request as a curl command, and the answer as JSON.

import { answer, question } from "./answer.js";
import { byId, element } from "./dom.js";
import { SERVICE } from "./service.js";

const quote = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

export function asCurl() {
  const { file, fields, healthy } = question;
  const parts = [`file=@${file.name}`, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`), ...healthy.map(({ name }) => `baseline=@${name}`)];
  const key = byId("api_key").value ? "-H 'X-API-Key: YOUR-KEY' " : "";
  return `curl ${key}${parts.map((part) => `-F ${quote(part)}`).join(" ")} ${quote(`${SERVICE}/diagnose/`)}`;
}

export async function copyCurl() {
  try {
    await navigator.clipboard.writeText(asCurl());
    byId("copied").textContent = "Copied.";
  } catch {
    byId("copied").textContent = asCurl(); // the browser allows no copying here: a person can mark the text
  }
}

export function saveJson() {
  const link = element("a", { href: URL.createObjectURL(new Blob([JSON.stringify(answer)], { type: "application/json" })), download: `${answer.recording.file}.diagnosis.json` });
  link.click();
  URL.revokeObjectURL(link.href);
}
