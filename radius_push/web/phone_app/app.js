// The screens: what is true decides which one is shown, and a screen is rebuilt only when it changes.

import { Refused, NoKey, Unreachable, answer, confirmationCode, enrol, forgetPhone, listen, loadPhone } from "./core.js";
import { showFacts } from "./facts.js";
import { answerTest, askForNotifications, closeNotification, closeNotifications, notifyState, onNotifyChange, renewNotifications, sendTest } from "./notify.js";
import { said, texts } from "./texts.js";

const TAP_GUARD_MS = 400; // a card that has just appeared may lie under a finger that meant something else
const RESULT_MS = 10_000; // an answer that was heard needs no longer to be read
const LATE_RESULT_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

let phone = null;
let token = null; // of a link; opening it spends nothing
let trouble = null; // key, unknown, removed, nokey
let adding = false;
let connection = "connecting";
let device = "unknown"; // pending, restored, active, removed: as the server says
let ahead = 0; // server time minus this page's own clock
const items = new Map(); // id -> {card, result, sending, element}: what is asked, and what became of it

const serverNow = () => performance.now() + ahead;

// --- building ----------------------------------------------------------------------------------------

const screen = document.getElementById("screen");
let shown = "";

function build(name) {
  const part = document.getElementById(name).content.cloneNode(true).firstElementChild;
  for (const element of part.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
  return part;
}

const named = (part, name) => part.querySelector(`[data-name="${name}"]`);

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Show `name`, built by `fill` only if another screen was there. `key` tells two of one kind apart.
function show(name, fill, key = "") {
  if (shown === `${name} ${key}`) return screen.firstElementChild;
  shown = `${name} ${key}`;
  const part = build(name);
  fill(part);
  screen.replaceChildren(part);
  window.scrollTo(0, 0);
  return part;
}

function render() {
  renderHeader();
  if (trouble && !adding) return showTrouble();
  if (adding || token || !phone) return mustInstall() ? show("install", () => {}) : showAdd();
  if (device === "pending") return showWaiting();
  if (items.size) return showRequests();
  return showHome();
}

const waiting = () => [...items.values()].filter((item) => !item.result);

function renderHeader() {
  const line = document.getElementById("connection");
  line.hidden = !phone || Boolean(trouble);
  line.className = `connection ${connection}`;
  write(line, texts[`connection_${connection}`]);
  const many = waiting().length;
  write(document.getElementById("app"), many > 1 ? said.waiting(many) : texts.app);
  document.title = many ? `(${many}) ${texts.card_title}` : texts.app;
}

// --- adding this phone -------------------------------------------------------------------------------

// On an iPhone the Home Screen has a storage of its own: a key made in Safari would be lost.
const mustInstall = () => navigator.standalone === false;

function showAdd() {
  show("add", (part) => fillAdd(part, token), token ?? "");
}

function fillAdd(form, byToken) {
  named(form, "lead").textContent = byToken ? texts.add_by_link : texts.add_by_code;
  named(form, "again").hidden = !phone;
  named(form, "code-field").hidden = Boolean(byToken);
  named(form, "code").placeholder = texts.add_code_example;
  named(form, "phone").value = ownName();
  named(form, "back").hidden = !phone;
  named(form, "back").addEventListener("click", () => {
    token = null;
    adding = false;
    render();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add(form, byToken);
  });
}

function ownName() {
  const agent = navigator.userAgent;
  const model = /Android [^;)]*; ([^;)]+?)(?: Build\/[^;)]*)?\)/.exec(agent)?.[1];
  if (model && model !== "K") return model;
  const kinds = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android phone"], ["Mac", "Mac"], ["Windows", "Windows PC"], ["Linux", "Linux PC"]];
  return kinds.find(([word]) => agent.includes(word))?.[1] ?? "";
}

async function add(form, byToken) {
  const code = named(form, "code").value.replace(/[\s\p{Pd}]/gu, "");
  const name = named(form, "phone").value.trim();
  const wrong = named(form, "wrong");
  if (!byToken && code.length !== 8) return write(wrong, texts.add_no_code);
  if (!name) return write(wrong, texts.add_no_name);
  const go = named(form, "go");
  write(wrong, "");
  go.disabled = true;
  write(go, texts.add_working);
  try {
    const added = await enrol(byToken ? { token: byToken } : { code }, name);
    begin(added);
  } catch (problem) {
    if (problem instanceof NoKey) {
      trouble = "nokey";
      adding = false;
      return render();
    }
    const word = problem instanceof Refused ? problem.word : problem instanceof Unreachable ? "unreachable" : "";
    write(wrong, texts[`refused_${word}`] ?? texts.refused_otherwise);
    go.disabled = false;
    write(go, texts.add_button);
  }
  return undefined;
}

function begin(added) {
  phone = added;
  token = trouble = null;
  adding = false;
  device = "pending";
  items.clear();
  keepListening();
  render();
}

function showWaiting() {
  show(
    "waiting",
    async (part) => {
      const code = await confirmationCode(phone);
      named(part, "code").textContent = `${code.slice(0, 3)}\u2009${code.slice(3)}`;
      named(part, "code").setAttribute("aria-label", [...code].join(" "));
    },
    phone.device,
  );
}

// --- no request, or nothing works --------------------------------------------------------------------

function showHome() {
  const part = show("home", (home) => {
    named(home, "account").textContent = phone.account;
    named(home, "phone").textContent = phone.name;
    named(home, "turn-on").addEventListener("click", () => askForNotifications(phone));
    named(home, "test").addEventListener("click", () => test(home));
  });
  const state = connection === "live" && device === "restored" ? "restored" : connection;
  write(named(part, "title"), texts[`home_title_${state}`]);
  write(named(part, "lead"), texts[`home_${state}`]);
  named(part, "tick").style.visibility = state === "live" ? "visible" : "hidden";
  const notify = notifyState();
  named(part, "notify").dataset.state = notify;
  write(named(part, "notify-text"), texts[`notify_${notify}`]);
  named(part, "turn-on").hidden = !["ask", "failed"].includes(notify);
  write(named(part, "turn-on"), notify === "failed" ? texts.notify_again : texts.notify_button);
  named(part, "test").hidden = state !== "live";
}

async function test(home) {
  const button = named(home, "test");
  button.disabled = true;
  write(named(home, "test-wrong"), "");
  try {
    await sendTest(phone);
  } catch (problem) {
    const tooMany = problem instanceof Refused && problem.word === "too_many_tests";
    write(named(home, "test-wrong"), tooMany ? texts.test_too_many : texts.test_failed);
  }
  button.disabled = false;
}

function showTrouble() {
  show(
    "trouble",
    (part) => {
      const noKey = trouble === "nokey";
      named(part, "title").textContent = noKey ? texts.nokey_title : texts.gone_title;
      named(part, "text").textContent = noKey ? texts.nokey_text : texts[`gone_${trouble}`];
      named(part, "actions").hidden = noKey;
      named(part, "go").addEventListener("click", async () => {
        await forgetPhone();
        phone = trouble = null;
        adding = true;
        render();
      });
    },
    trouble,
  );
}

// --- requests ----------------------------------------------------------------------------------------

function showRequests() {
  const part = show("requests", () => {});
  const list = named(part, "list");
  for (const [id, item] of items) {
    item.element ??= item.result ? resultOf(id, item) : item.test ? testCardOf(id, item) : cardOf(id, item);
    if (item.element.parentNode !== list) list.append(item.element);
  }
  tick();
}

// The gateway has given up, or asks again: the card stays, and says so.
function hearAgain(item, card) {
  const before = item.card;
  item.card = card;
  if (item.element && !item.test && !item.result) showFacts(item.element, card.facts);
  if (item.test || item.result || (before.late === card.late && before.ends_at === card.ends_at)) return;
  item.from = serverNow();
  if (before.late !== card.late && item.element) {
    showLate(item);
    guard(item); // a tap that was meant for the other words
    document.getElementById("spoken").textContent = card.late === "no" ? said.arrived(card) : texts.card_late_title;
  }
}

function showLate({ card, element, sending }) {
  const late = card.late !== "no";
  write(named(element, "title"), late ? texts.card_late_title : texts.card_title);
  write(named(element, "late"), card.late === "yes" ? texts.card_late : texts.card_late_over);
  named(element, "late").hidden = !late;
  write(named(element, "wrong"), "");
  if (!sending) write(named(element, "yes"), card.late === "yes" ? texts.card_late_yes : texts.card_yes);
}

function cardOf(id, item) {
  const { card } = item;
  const element = (item.element = build("card"));
  item.from = card.opened_at;
  showLate(item);
  named(element, "client").textContent = card.client;
  named(element, "account").textContent = card.account;
  named(element, "address").textContent = card.address ?? texts.card_address_none;
  named(element, "unanswered").textContent = card.unanswered ? said.unanswered(card.unanswered) : "";
  named(element, "unanswered").hidden = !card.unanswered;
  named(element, "by").textContent = card.address ? texts.card_address_by : texts.card_address_why;
  showFacts(element, card.facts);
  named(element, "login").textContent = card.login;
  named(element, "yes").addEventListener("click", () => say(id, "approve"));
  named(element, "no").addEventListener("click", () => say(id, "deny"));
  guard(item);
  document.getElementById("spoken").textContent = said.arrived(card);
  return element;
}

// A request that nobody made: it has a purpose of its own, and nothing in it could let anybody in.
function testCardOf(id, item) {
  const element = build("test-card");
  named(element, "ok").addEventListener("click", async () => {
    item.sending = true;
    tick();
    try {
      await answerTest(phone, id);
      finish(id, "test_done");
    } catch (problem) {
      item.sending = false;
      if (problem instanceof Refused) finish(id, "test_over");
      else write(named(element, "wrong"), texts.card_not_sent);
      tick();
    }
  });
  document.getElementById("spoken").textContent = texts.test_title;
  return element;
}

async function say(id, purpose) {
  const item = items.get(id);
  if (!item || item.sending || item.result) return;
  item.sending = true;
  write(named(item.element, "wrong"), "");
  write(named(item.element, purpose === "approve" ? "yes" : "no"), texts.card_sending);
  tick();
  try {
    finish(id, await answer(phone, item.card, purpose));
  } catch (problem) {
    hearRefusal(id, problem);
  }
}

function hearRefusal(id, problem) {
  const item = items.get(id);
  const word = problem instanceof Refused ? problem.word : "";
  if (word === "unknown_device" || word === "removed") return lose(word === "removed" ? "removed" : "unknown");
  if (word === "unknown_question") return finish(id, "over");
  if (`${word}_title` in texts) return finish(id, word);
  item.sending = false;
  showLate(item);
  write(named(item.element, "no"), texts.card_no);
  // The stream brings the card that says it.
  if (word === "late") write(named(item.element, "wrong"), texts.card_gave_up);
  else write(named(item.element, "wrong"), word ? texts.card_failed : texts.card_not_sent);
  if (item.closed) finish(id, item.closed);
  return tick();
}

// What became of it takes the place of the card, at its height: nothing moves under a finger.
function finish(id, result) {
  const item = items.get(id);
  if (!item || item.result) return;
  item.result = result;
  closeNotification(id);
  const old = item.element;
  item.element = resultOf(id, item);
  if (old?.isConnected) {
    item.element.style.minHeight = `${old.offsetHeight}px`;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(item.element);
    item.element.scrollIntoView({ block: "nearest" });
    if (hadFocus) item.element.focus({ preventScroll: true });
  }
  document.getElementById("spoken").textContent = texts[`${result}_title`];
  render();
}

function resultOf(id, item) {
  const element = build("result");
  const kind = /^(approved|test_done)/.test(item.result) ? "good" : item.result.startsWith("denied") ? "bad" : "late";
  element.classList.add(kind);
  element.dataset.result = item.result;
  named(element, "title").textContent = texts[`${item.result}_title`];
  named(element, "text").textContent = texts[`${item.result}_text`];
  named(element, "which").textContent = item.test ? "" : said.which(item.card);
  const done = () => {
    leave(id);
    render();
  };
  named(element, "done").addEventListener("click", done);
  setTimeout(() => items.get(id) === item && done(), kind === "late" ? LATE_RESULT_MS : RESULT_MS);
  return element;
}

// A result goes. Cards may move up under a finger then: they take no tap for a moment.
function leave(id) {
  items.get(id)?.element?.remove();
  items.delete(id);
  for (const item of waiting()) guard(item);
}

function guard(item) {
  item.ready = false;
  clearTimeout(item.guard);
  item.guard = setTimeout(() => {
    item.ready = true;
    tick();
  }, TAP_GUARD_MS);
}

// Times and bars, by the server's clock.
function tick() {
  const now = serverNow();
  for (const item of items.values()) {
    const { card, element, result, ready, sending, test } = item;
    if (result || !element) continue;
    if (test) {
      named(element, "ok").disabled = Boolean(sending);
      continue;
    }
    const left = Math.max(0, card.ends_at - now);
    write(named(element, "when"), said.ago(Math.max(0, Math.floor((now - card.opened_at) / 1000))));
    write(named(element, "left"), left ? said.left(Math.ceil(left / 1000)) : texts.card_over);
    named(element, "bar").style.transform = `scaleX(${Math.min(1, left / (card.ends_at - item.from))})`;
    element.classList.toggle("ending", left < 10_000);
    for (const name of ["yes", "no"]) named(element, name).disabled = !ready || sending || !left;
    if (card.late === "over") named(element, "yes").disabled = true; // nobody could be let in by it
  }
}
setInterval(tick, 250);

// --- the stream --------------------------------------------------------------------------------------

let listening = null; // AbortController of the current stream
let hurried = false; // try again at once, whether in a pause or not yet
let endPause = () => {};
let turn = 0; // a new phone starts a new turn, and the loop of the old one ends
let heardAt = 0;

function hear(kind, state) {
  heardAt = performance.now();
  if (kind === "replaced") {
    connection = "replaced";
    return render();
  }
  if (kind !== "state") return undefined;
  connection = "live";
  ahead = state.now - performance.now();
  device = state.device.state;
  if (device === "removed") return lose("removed");
  const open = new Set();
  for (const card of state.questions) {
    open.add(card.id);
    if (items.has(card.id)) {
      hearAgain(items.get(card.id), card);
      continue;
    }
    // What is over must not stand in front of what is asked.
    if (!waiting().length) for (const id of items.keys()) leave(id);
    items.set(card.id, { card });
  }
  for (const card of state.tests) {
    open.add(card.id);
    // A test must not stand in front of a real request: it comes back after it.
    if (!state.questions.length) {
      if (!items.has(card.id)) items.set(card.id, { card, test: true });
    } else if (items.has(card.id)) leave(card.id);
  }
  const closed = new Map(state.closed.map((row) => [row.id, row]));
  for (const [id, item] of items) {
    if (open.has(id) || item.result) continue;
    const result = item.test ? "test_over" : resultWord(closed.get(id));
    if (item.sending) item.closed = result; // our own answer is on its way: it knows best
    else finish(id, result);
  }
  if (device === "active") {
    renewNotifications(phone);
    closeNotifications(open);
  }
  return render();
}

function resultWord(row) {
  if (!row) return "over";
  if (row.outcome === "timed_out") return "too_late";
  if (row.outcome === "closed" || row.by_this_device) return row.outcome;
  return `${row.outcome}_elsewhere`;
}

function lose(why) {
  trouble = why;
  items.clear();
  document.getElementById("spoken").textContent = ""; // no request is here any more
  turn += 1;
  listening?.abort();
  render();
}

async function keepListening() {
  const mine = ++turn;
  listening?.abort();
  wake();
  let retry = FIRST_RETRY_MS;
  while (mine === turn) {
    const started = performance.now();
    hurried = false;
    try {
      listening = new AbortController();
      await listen(phone, (kind, data) => mine === turn && hear(kind, data), listening.signal);
    } catch (problem) {
      if (mine === turn && problem instanceof Refused && problem.word === "unknown_device") return lose("unknown");
    }
    if (mine !== turn) return undefined;
    if (connection === "replaced") await pause(Infinity);
    else {
      if (performance.now() - started > LONGEST_RETRY_MS) retry = FIRST_RETRY_MS;
      connection = navigator.onLine ? "unreachable" : "offline";
      render();
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
  if (connection === "replaced") connection = "connecting";
  // A phone that slept may hold a stream that nobody feeds any more.
  if (performance.now() - heardAt > 20_000) listening?.abort();
  wake();
  tick();
});
window.addEventListener("online", () => {
  listening?.abort();
  wake();
});
window.addEventListener("offline", () => {
  connection = "offline";
  render();
});

// --- the beginning -----------------------------------------------------------------------------------

// The token leaves the address bar at once: no history, no screenshot of it, no sharing by accident.
function readLink() {
  const found = /^#enrol=([\w-]{1,64})$/.exec(location.hash)?.[1];
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (!found) return;
  token = found;
  adding = true;
}

window.addEventListener("hashchange", () => {
  readLink();
  render();
});

function installWorker() {
  if (!("serviceWorker" in navigator)) return;
  const path = "/sw.js";
  const policy = window.trustedTypes?.createPolicy("radius-push", {
    createScriptURL: (url) => {
      if (url !== path) throw new TypeError("not our worker");
      return url;
    },
  });
  const hadOne = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    // A newer app is there: take it, unless the person is in the middle of something.
    if (hadOne && shown.startsWith("home")) location.reload();
  });
  // Without a worker the app opens a little slower; nothing else is lost.
  navigator.serviceWorker.register(policy ? policy.createScriptURL(path) : path, { type: "module" }).catch(() => {});
}

onNotifyChange(() => render());
readLink();
const loaded = await loadPhone();
if (loaded === "gone") trouble = "key";
else phone = loaded;
if (phone) keepListening();
render();
installWorker();
