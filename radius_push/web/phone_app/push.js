// Notifications while the app is closed: the browser subscribes at its push service, and the server is told
// where that is. Shared by the page and the service worker.

import { base64url, config, keep, kept, says } from "./core.js";

const SUBSCRIBE_MS = 10_000; // a browser that does not reach its push service may never say so

export class NoPush extends Error {}

// unsupported, blocked, ask, or granted
export function permission() {
  if (!("Notification" in self) || !("PushManager" in self)) return "unsupported";
  return { denied: "blocked", granted: "granted" }[Notification.permission] ?? "ask";
}

export function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new NoPush("the push service was not reached in time")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function subscription(registration, key, anew) {
  const known = await registration.pushManager.getSubscription();
  // Of another server key, or dead: what is sent to it does not arrive.
  const fits = known && !anew && base64url(known.options.applicationServerKey ?? []) === key;
  if (fits) return known;
  await known?.unsubscribe();
  try {
    return await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch (problem) {
    throw new NoPush(String(problem));
  }
}

// Subscribes if need be and tells the server. Throws NoPush, Refused or Unreachable; nothing else waits for it.
export async function keepPush(registration, phone) {
  const key = (await config()).web_push.public_key;
  let told = await within(SUBSCRIBE_MS, subscription(registration, key, false));
  if ((await tell(phone, told)) === "kept" && (await kept("push")) === told.endpoint) {
    // The server had forgotten what it was told before: the push service had said that it is no more.
    told = await within(SUBSCRIBE_MS, subscription(registration, key, true));
    await tell(phone, told);
  }
  await keep("push", told.endpoint);
}

async function tell(phone, told) {
  const [p256dh, auth] = ["p256dh", "auth"].map((name) => base64url(told.getKey(name)));
  return (await says(phone, "/api/push", "push", { endpoint: told.endpoint, p256dh, auth })).outcome;
}
