// The line to the server: kept open, tried again when it breaks, and given up when the server knows no such phone.

import { Refused, listen } from "./core.js";
import { speak } from "./screen.js";
import { changed, items, page } from "./state.js";

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

let listening = null; // AbortController of the current stream
let hurried = false; // try again at once, whether in a pause or not yet
let endPause = () => {};
let turn = 0; // a new phone starts a new turn, and the loop of the old one ends
let heardAt = 0;
let hear = () => {};

export const onHeard = (take) => {
  hear = take;
};

function heard(kind, data) {
  heardAt = performance.now();
  return hear(kind, data);
}

export function lose(why) {
  page.trouble = why;
  items.clear();
  speak(""); // no request is here any more
  turn += 1;
  listening?.abort();
  changed();
}

export async function keepListening() {
  const mine = ++turn;
  listening?.abort();
  wake();
  let retry = FIRST_RETRY_MS;
  while (mine === turn) {
    const started = performance.now();
    hurried = false;
    try {
      listening = new AbortController();
      await listen(page.phone, (kind, data) => mine === turn && heard(kind, data), listening.signal);
    } catch (problem) {
      if (mine === turn && problem instanceof Refused && problem.word === "unknown_device") return lose("unknown");
    }
    if (mine !== turn) return undefined;
    if (page.connection === "replaced") await pause(Infinity);
    else {
      if (performance.now() - started > LONGEST_RETRY_MS) retry = FIRST_RETRY_MS;
      page.connection = navigator.onLine ? "unreachable" : "offline";
      changed();
      if (await pause(retry * (0.75 + Math.random() / 2))) retry = FIRST_RETRY_MS;
      else retry = Math.min(retry * 2, LONGEST_RETRY_MS);
    }
  }
  return undefined;
}

function wake() {
  hurried = true;
  endPause();
}

// True if somebody woke it, or had done so just before.
async function pause(milliseconds) {
  if (!hurried) {
    await new Promise((resolve) => {
      endPause = resolve;
      if (Number.isFinite(milliseconds)) setTimeout(resolve, milliseconds);
    });
  }
  const woken = hurried;
  hurried = false;
  return woken;
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  if (page.connection === "replaced") page.connection = "connecting";
  // A phone that slept may hold a stream that nobody feeds any more.
  if (performance.now() - heardAt > 20_000) listening?.abort();
  wake();
});
window.addEventListener("online", () => {
  listening?.abort();
  wake();
});
window.addEventListener("offline", () => {
  page.connection = "offline";
  changed();
});
