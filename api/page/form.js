// The form: what a person typed, what the service says of it, and how far the upload is.

import { byId, element, number } from "./dom.js";

const FIELDS = ["sampling_rate", "rpm", "bearing", "channel", "baseline_sampling_rate", "baseline_rpm"];

/** The fields that are filled in, numbers as the service reads them. */
export function readForm() {
  const fields = {};
  for (const name of FIELDS) {
    const value = byId(name).value.trim();
    if (value) fields[name] = /rate|rpm/.test(name) ? plainNumber(value) : value;
  }
  return fields;
}

/** 12,000, 12.000 and 12 000 are twelve thousand, for no rate or speed needs three decimals; 1797,5 has a decimal comma. */
export function plainNumber(text) {
  const close = text.replace(/[\s'’]/g, "");
  return /^\d{1,3}([.,]\d{3})+$/.test(close) ? close.replace(/[.,]/g, "") : close.replace(",", ".");
}

export function clearFields() {
  for (const name of FIELDS) byId(name).value = "";
}

/** Show what the file says of itself as placeholders, so that a person sees what is still missing. */
export function offer({ sampling_rate, rpm, channels }) {
  if (sampling_rate) byId("sampling_rate").placeholder = `${number(sampling_rate, 7)}, says the file`;
  if (rpm) byId("rpm").placeholder = `${number(rpm, 7)}, says the file`;
  byId("channels").replaceChildren(...channels.map((name) => element("option", { value: name })));
}

/** Take back what an earlier file said of itself. */
export function withdrawOffer() {
  for (const name of ["sampling_rate", "rpm"]) byId(name).placeholder = "from the file";
  byId("channels").replaceChildren();
}

// ---- progress

/** share is what is sent of the upload, null while the service computes. */
export function showProgress(words, share) {
  byId("submit").disabled = true;
  byId("waiting").hidden = false;
  byId("waiting_label").textContent = words;
  if (share === null) byId("progress").removeAttribute("value");
  else byId("progress").value = share;
}

export function hideProgress() {
  byId("submit").disabled = false;
  byId("waiting").hidden = true;
}

// ---- errors

export function clearErrors() {
  for (const place of document.querySelectorAll("form .error")) {
    place.hidden = true;
    place.textContent = ""; // a screen reader reads it with its field even while it is hidden
  }
  for (const input of document.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

/** Show a message beside its field and focus the field, or below the form where no field has that name. */
export function showError(field, message) {
  const place = byId(`${field}_error`) ?? byId("error");
  place.textContent = message;
  place.hidden = false;
  const input = byId(field);
  if (place === byId("error") || !input) return;
  input.setAttribute("aria-invalid", "true");
  input.closest("details")?.setAttribute("open", "");
  input.focus();
}

export function askForKey() {
  byId("key_row").hidden = false;
  showError("api_key", "This service asks for a key.");
}

/** Show why the service refused; where it names fields, each message stands beside its field and the first is focused. */
export function showRefusal({ status, retry, text }) {
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
