// The healthy baseline: recordings that this browser keeps (in IndexedDB) for the next diagnosis.

import { byId } from "./dom.js";

export let baseline = []; // files
let changed = false; // since the page was opened

const NONE = "none: healthy or damaged is the weaker half of the answer";
const namesOf = (files) => files.map(({ name }) => name).join(", ");

/** Take these files as the baseline, none to forget it. The page says that it is done once the store has done it. */
export async function keepBaseline(files) {
  baseline = files;
  changed = true;
  showBaseline(files.length ? `keeping ${namesOf(files)} …` : "forgetting it …");
  let words = files.length ? namesOf(files) : NONE;
  try {
    await inStore("readwrite", (store) => (files.length ? store.put(files, "files") : store.clear()));
  } catch {
    words = files.length ? `${words}; this browser cannot keep it: choose it again next time` : "this browser cannot forget it: delete this page’s data";
  }
  if (baseline === files) showBaseline(words); // else a later choice has been made meanwhile
}

async function recallBaseline() {
  const kept = await inStore("readonly", (store) => store.get("files")).catch(() => undefined); // it may keep nothing
  if (changed) return;
  baseline = kept ?? [];
  showBaseline(baseline.length ? namesOf(baseline) : NONE);
}

function showBaseline(words) {
  byId("forget").hidden = !baseline.length;
  byId("baseline_state").textContent = `(${words})`;
}

function openStore() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("bearing-diagnosis", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("baseline");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Resolve to an action's result once its transaction is complete: a request that succeeded may still be undone. */
async function inStore(mode, act) {
  const database = await openStore();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction("baseline", mode);
    const request = act(transaction.objectStore("baseline"));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  }).finally(() => database.close());
}

/** Settles once what an earlier visit kept has been read. */
export const recalled = recallBaseline();
