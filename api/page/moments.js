// Moments as people here write them.

/** A moment as people here write it. */
export const moment = (iso) => (iso ? new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "–");

/** A moment as <input type=datetime-local> takes it. */
export function localTime(date) {
  return new Date(date - 60_000 * date.getTimezoneOffset()).toISOString().slice(0, 16);
}
