// Keeps the app's files, so that it opens at once, and shows what is pushed. What the app itself shows always
// comes from the server.

import { Refused, answer, loadPhone, says } from "./core.js";
import { keepPush } from "./push.js";
import { said, texts } from "./texts.js";

const CACHE = "radius-push-@VERSION@";
const FILES = [
  "/",
  "/adding.js",
  "/another.js",
  "/app.js",
  "/biometrics.js",
  "/cards.js",
  "/core.js",
  "/facts.js",
  "/finger.js",
  "/hearing.js",
  "/home.js",
  "/notices.js",
  "/notify.js",
  "/number.js",
  "/push.js",
  "/recent.js",
  "/screen.js",
  "/signins.js",
  "/state.js",
  "/stream.js",
  "/texts.js",
  "/texts/de.js",
  "/texts/en.js",
  "/texts/es.js",
  "/texts/tr.js",
  "/style.css",
  "/manifest.webmanifest",
  "/icons/icon.svg",
];

self.addEventListener("install", (event) => {
  const fresh = FILES.map((path) => new Request(path, { cache: "no-cache" }));
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(fresh))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !FILES.includes(url.pathname)) return;
  event.respondWith(
    caches.match(url.pathname, { cacheName: CACHE }).then((found) => found ?? fetch(event.request)),
  );
});

// --- notifications -----------------------------------------------------------------------------------

// Every push shows something, whatever it holds: browsers take the permission away from silent ones.
const NOTICES = ["device_added", "credential_added"];
self.addEventListener("push", (event) => event.waitUntil(notify(event.data)));

async function notify(data) {
  let pushed = {};
  try {
    pushed = data.json().notification ?? {};
  } catch {
    // Not ours, or nothing: the app will say what there is.
  }
  const question = typeof pushed.data?.question === "string" ? pushed.data.question : null;
  const test = typeof pushed.data?.test === "string" ? pushed.data.test : null;
  const signIn = typeof pushed.data?.sign_in === "string" ? pushed.data.sign_in : null;
  const review = { action: "review", title: texts.push_review };
  // Never an approval from here: whoever lifts a locked phone would have it.
  const actions = question ? [review, { action: "deny", title: texts.push_deny }] : [review];
  const kind = NOTICES.includes(pushed.data?.kind) ? pushed.data.kind : null;
  const [title, body] = kind ? [texts[`notice_${kind}_title`], String(pushed.data.name)] : words(pushed, question, test, signIn);
  await show(title, body, pushed.tag ?? "radius-push", {
    requireInteraction: true,
    renotify: true,
    actions,
    data: { question, test: test ?? signIn, pushed: pushedBy(pushed.data) },
  });
  await tellThat("received", pushedBy(pushed.data));
}

// What a receipt names; null: a push that tells nothing of it.
function pushedBy(data) {
  const told = typeof data?.kind === "string" && typeof data.id === "string";
  return told ? { kind: data.kind, id: data.id } : null;
}

// So that the person and their administrator see which phones are reached, and how fast. Without it nothing is
// lost.
async function tellThat(what, pushed) {
  try {
    const phone = await loadPhone();
    if (!phone?.key) return;
    if (pushed) await says(phone, "/api/receipt", "receipt", { channel: "web_push", ...pushed, what });
    else if (what === "received") await says(phone, "/api/woken", "woken");
  } catch {
    // It is told by the next one.
  }
}

// In the person's language. What the server wrote beside it is for browsers that show a push by themselves.
function words({ title, body, data }, question, test, signIn) {
  if (test) return [texts.push_test_title, texts.push_test_body];
  if (signIn) return [texts.push_title, texts.push_sign_in];
  const told = question && typeof data.client === "string" && typeof data.account === "string";
  if (told) return [texts.push_title, said.asks(data)];
  return [title ?? texts.push_title, body ?? texts.push_body];
}

function show(title, body, tag, more) {
  return self.registration.showNotification(String(title), {
    body: String(body),
    tag: String(tag),
    icon: "/icons/icon-192.png",
    badge: "/icons/icon-192.png",
    timestamp: Date.now(),
    ...more,
  });
}

self.addEventListener("notificationclick", (event) => {
  const { notification, action } = event;
  notification.close();
  if (action === "deny" && notification.data?.question) event.waitUntil(deny(notification));
  else event.waitUntil(Promise.all([open(), tellThat("opened", notification.data?.pushed)]));
});

async function open() {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return windows.length ? windows[0].focus() : self.clients.openWindow("/");
}

// Signed for exactly this question, as the server shows it now. What can't be sent now is not kept for later:
// a No that arrives tomorrow would be about nothing.
async function deny({ data, tag, title }) {
  let result = "push_not_denied";
  try {
    const phone = await loadPhone();
    if (!phone?.key) throw new Error("no key");
    const { questions } = await says(phone, "/api/questions", "questions");
    const card = questions.find(({ id }) => id === data.question);
    result = card ? `push_${await answer(phone, card, "deny")}` : "push_over";
  } catch (problem) {
    if (problem instanceof Refused) result = problem.word === "too_late" ? "push_over" : "push_not_denied";
  }
  // That it was not denied must not be overlooked; the others may leave by themselves.
  const failed = result === "push_not_denied";
  await show(failed ? title : texts[`${result}_title`], texts[result], tag, {
    silent: !failed,
    requireInteraction: failed,
    data: { question: failed ? data.question : null, test: null, pushed: data.pushed },
  });
}

self.addEventListener("pushsubscriptionchange", (event) => {
  const again = async () => {
    const phone = await loadPhone();
    if (phone?.key) await keepPush(self.registration, phone);
  };
  // Without it now: the app tries again when it is opened.
  event.waitUntil(again().catch(() => {}));
});
