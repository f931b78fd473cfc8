// The service, which the page knows only over HTTP: its address, the key, and the requests.

import { byId } from "./dom.js";

export const SERVICE = new URL(document.querySelector("meta[name=service]").content || ".", location.href).href.replace(/\/$/, "");

const keyHeader = () => (byId("api_key").value ? { "X-API-Key": byId("api_key").value } : {});

const unreachable = () => `No answer from ${SERVICE}: is the service running?`;

/** Resolve to the response; an error carries the status where there was one. */
export async function get(path) {
  const response = await fetch(`${SERVICE}/${path}`, { headers: keyHeader() }).catch(() => { throw new Error(unreachable()); });
  if (!response.ok) throw Object.assign(new Error(`${SERVICE} answered ${response.status} to ${path}.`), { status: response.status });
  return response;
}

/** Resolve to the response to a request with a form or with JSON; an error says in words what is wrong. */
export async function request(method, path, { json, form, accept } = {}) {
  const headers = { ...keyHeader(), ...(json && { "Content-Type": "application/json" }), ...(accept && { Accept: accept }) };
  const asked = fetch(`${SERVICE}/${path}`, { method, headers, body: json ? JSON.stringify(json) : form });
  const response = await asked.catch(() => { throw new Error(unreachable()); });
  if (!response.ok) throw Object.assign(new Error(await explain(response)), { status: response.status });
  return response;
}

export const call = async (...asked) => (await request(...asked)).json();

async function explain(response) {
  const { detail } = await response.json().catch(() => ({}));
  if (typeof detail === "string") return detail;
  return detail?.map(({ msg }) => msg).join("; ") ?? `${SERVICE} answered ${response.status}.`;
}

let pending = null; // the upload on its way

/**
 * Send a recording; give up an earlier one that is still on its way.
 *
 * progress is called with words and the share that is sent, null while the service computes; timeout is the number of
 * seconds from the end of the upload to the answer, undefined for no limit. Resolves to status, Retry-After and text,
 * or to null where this upload was given up for a later one.
 */
export function send({ file, fields, healthy }, progress, timeout) {
  const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
  pending?.abort();
  pending = request;
  request.open("POST", `${SERVICE}/diagnose/`);
  for (const [name, value] of Object.entries(keyHeader())) request.setRequestHeader(name, value);
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      if (request.readyState >= XMLHttpRequest.HEADERS_RECEIVED) return;
      reject(new Error(`No answer from ${SERVICE} within ${timeout} seconds.`));
      request.abort();
    };
    request.upload.onprogress = ({ loaded, total }) => progress("Sending", loaded / total);
    request.upload.onload = () => {
      progress("Diagnosing", null);
      if (timeout) setTimeout(giveUp, 1000 * timeout);
    };
    request.onload = () => resolve({ status: request.status, retry: request.getResponseHeader("Retry-After"), text: request.responseText });
    request.onabort = () => resolve(null);
    request.onerror = () => reject(new Error(unreachable()));
    request.send(formOf({ file, fields, healthy }));
  });
}

export function formOf({ file, fields, healthy }) {
  const form = new FormData();
  form.append("file", file, file.name);
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const each of healthy) form.append("baseline", each, each.name);
  return form;
}
