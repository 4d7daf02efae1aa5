// The part of the home screen about notifications: what is on, what is missing, and what to do about it.

import { Refused, says } from "./core.js";
import { keepPush, permission, within } from "./push.js";

const READY_MS = 10_000; // `ready` never settles where no service worker could be installed
const STALE_MS = 10_000;

let state = "unknown"; // unsupported, blocked, ask, working, on, failed, not_allowed
let begunFor = null; // the device for which it was tried
let changed = () => {};

export const notifyState = () => (state === "unknown" ? permission() : state);

export function onNotifyChange(render) {
  changed = render;
  // Whoever comes back from the browser's settings finds what they did there.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    if (["blocked", "ask", "unknown"].includes(notifyState())) {
      state = "unknown";
      begunFor = null;
    }
    changed();
  });
}

function become(next) {
  state = next;
  changed();
}

async function turnOn(phone) {
  become("working");
  try {
    await keepPush(await within(READY_MS, navigator.serviceWorker.ready), phone);
    become("on");
  } catch (problem) {
    const notAllowed = problem instanceof Refused && problem.word === "push_service";
    become(notAllowed ? "not_allowed" : "failed");
  }
}

// Once at each start, when the server knows this phone: browsers and servers both forget subscriptions.
export function renewNotifications(phone, rung) {
  // A subscription that its push service has given up meanwhile is made anew, too.
  if (state === "on" && rung === "gone") begunFor = null;
  if (begunFor === phone.device || permission() !== "granted") return;
  begunFor = phone.device;
  turnOn(phone);
}

// On a tap: browsers ask the person only then.
export async function askForNotifications(phone) {
  begunFor = phone.device;
  if (permission() === "ask") await Notification.requestPermission();
  if (permission() !== "granted") return become(permission());
  return turnOn(phone);
}

export const sendTest = (phone) => says(phone, "/api/test", "test");
export const answerTest = (phone, test) => says(phone, "/api/test-answer", "test_answer", { test });

async function notifications() {
  const registration = await navigator.serviceWorker?.getRegistration();
  return (await registration?.getNotifications?.()) ?? [];
}

const about = ({ data }) => data?.question ?? data?.test;

// Notifications whose request is over, or was answered anywhere, leave the screen. `open`: ids that wait.
export async function closeNotifications(open) {
  for (const shown of await notifications()) {
    // One that has just come may be newer than what this page knows.
    if (about(shown) && !open.has(about(shown)) && Date.now() - shown.timestamp > STALE_MS) shown.close();
  }
}

export async function closeNotification(id) {
  for (const shown of await notifications()) if (about(shown) === id) shown.close();
}
