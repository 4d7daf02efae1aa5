// The requests: a card each, its answer, and what became of it.

import { NoFinger, use } from "./biometrics.js";
import { Refused, answer } from "./core.js";
import { showFacts } from "./facts.js";
import { answerTest, closeNotification } from "./notify.js";
import { askNumber, leaveNumber, sayAtNumber, tickNumber } from "./number.js";
import { build, named, show, speak, write, writeAddress } from "./screen.js";
import { signInCardOf } from "./signins.js";
import { changed, items, page, serverNow, waiting } from "./state.js";
import { lose } from "./stream.js";
import { said, texts } from "./texts.js";

const TAP_GUARD_MS = 400; // a card that has just appeared may lie under a finger that meant something else
const FINGER_MS = 3_000; // a finger that meant a card which ended by itself is lifted by then
const RESULT_MS = 10_000; // an answer that was heard needs no longer to be read
const LATE_RESULT_MS = 60_000;

export function showRequests() {
  const part = show("requests", () => {});
  const list = named(part, "list");
  for (const [id, item] of items) {
    item.element ??= item.result ? resultOf(id, item) : item.test ? testCardOf(id, item) : item.signIn ? signInCardOf(id, item) : cardOf(id, item);
    if (item.element.parentNode !== list) list.append(item.element);
  }
  tick();
}

// The gateway has given up, or asks again: the card stays, and says so.
export function hearAgain(item, card) {
  const before = item.card;
  item.card = card;
  if (item.element && !item.test && !item.signIn && !item.result) showFacts(item.element, card.facts);
  if (item.test || item.signIn || item.result || (before.late === card.late && before.ends_at === card.ends_at)) return;
  item.from = serverNow();
  if (before.late !== card.late && item.element) {
    item.typed = ""; // it was of the try that was given up
    leaveNumber(card.id);
    showLate(item);
    guard(item); // a tap that was meant for the other words
    speak(card.late === "no" ? said.arrived(card) : texts.card_late_title);
  }
}

function showLate({ card, element, sending }) {
  const late = card.late !== "no";
  write(named(element, "title"), late ? texts.card_late_title : texts.card_title);
  write(named(element, "late"), card.late === "yes" ? texts.card_late : texts.card_late_over);
  named(element, "late").hidden = !late;
  element.classList.toggle("is-late", late);
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
  writeAddress(named(element, "address"), card.address ?? texts.card_address_none);
  named(element, "unanswered").textContent = card.unanswered ? said.unanswered(card.unanswered) : "";
  named(element, "unanswered").hidden = !card.unanswered;
  named(element, "by").textContent = card.address ? texts.card_address_by : texts.card_address_why;
  showFacts(element, card.facts);
  named(element, "login").textContent = card.login;
  named(element, "yes").addEventListener("click", () => say(id, "approve"));
  named(element, "without").addEventListener("click", () => say(id, "approve", { without: true }));
  named(element, "no").addEventListener("click", () => say(id, "deny"));
  guard(item);
  speak(said.arrived(card));
  return element;
}

// A request that nobody made: it has a purpose of its own, and nothing in it could let anybody in.
function testCardOf(id, item) {
  const element = build("test-card");
  named(element, "ok").addEventListener("click", async () => {
    item.sending = true;
    tick();
    try {
      await answerTest(page.phone, id);
      finish(id, "test_done");
    } catch (problem) {
      item.sending = false;
      if (problem instanceof Refused) finish(id, "test_over");
      else write(named(element, "wrong"), texts.card_not_sent);
      tick();
    }
  });
  speak(texts.test_title);
  return element;
}

// A yes with the fingerprint or face of this phone, where it has one and the sign-in takes it.
function fingerOf({ card }, purpose, without) {
  if (purpose !== "approve" || without || card.biometrics === "off" || !page.credential) return undefined;
  return (payload) => use(page.credential, payload, card.ends_at - serverNow());
}

async function say(id, purpose, { without = false, number = undefined } = {}) {
  const item = items.get(id);
  if (!item || item.sending || item.result) return;
  if (purpose === "approve" && item.card.number_mode !== "off" && !number) {
    write(named(item.element, "wrong"), "");
    // Before the finger is asked: it is for the same text, with the number in it.
    askNumber(id, (typed) => say(id, purpose, { without, number: typed }));
    return;
  }
  item.sending = true;
  write(named(item.element, "wrong"), "");
  write(named(item.element, purpose === "approve" ? "yes" : "no"), texts.card_sending);
  tick();
  try {
    finish(id, await answer(page.phone, item.card, purpose, fingerOf(item, purpose, without), number));
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
  // What needs only another try stays where the number stands; the rest is for the card to say.
  if (word || problem instanceof NoFinger || !sayAtNumber(id, texts.card_not_sent)) leaveNumber(id);
  // The stream brings the card that says it.
  if (problem instanceof NoFinger || word.startsWith("biometrics_")) return noFinger(id, word);
  if (word === "late") write(named(item.element, "wrong"), texts.card_gave_up);
  else if (word === "login_address") write(named(item.element, "wrong"), texts.card_not_from_here);
  else write(named(item.element, "wrong"), word ? texts.card_failed : texts.card_not_sent);
  return readable(id, item);
}

// Not recognised, or given up by the person: the card stays, and says how it can go on.
function noFinger(id, word) {
  const item = items.get(id);
  const required = item.card.biometrics === "required";
  const why = required ? texts.card_biometrics_again : texts.card_biometrics_without;
  write(named(item.element, "wrong"), word ? (texts[`card_${word}`] ?? why) : why);
  named(item.element, "without").hidden = required;
  return readable(id, item);
}

// What went wrong is read above the buttons.
function readable(id, item) {
  if (item.closed) return finish(id, item.closed);
  tick();
  return named(item.element, "yes").scrollIntoView({ block: "nearest" });
}

// What became of it takes the place of the card, at its height: nothing moves under a finger. It grows small
// where another card waits, so that that one is seen.
export function finish(id, result) {
  const item = items.get(id);
  if (!item || item.result) return;
  const asTapped = item.sending;
  leaveNumber(id);
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
    if (asTapped) shrink(item);
    else setTimeout(() => shrink(item), FINGER_MS);
  }
  speak(texts[`${result}_title`]);
  changed();
}

function shrink({ element }) {
  const others = waiting();
  if (!others.length || !element.isConnected) return;
  element.style.minHeight = "";
  element.classList.add("small");
  element.scrollIntoView({ block: "nearest" });
  for (const other of others) guard(other);
  tick();
}

function resultOf(id, item) {
  const element = build("result");
  const kind = /^(approved|test_done)/.test(item.result) ? "good" : item.result.startsWith("denied") ? "bad" : "late";
  element.classList.add(kind);
  element.dataset.result = item.result;
  named(element, "title").textContent = texts[`${item.result}_title`];
  named(element, "text").textContent = texts[`${item.result}_text`];
  named(element, "which").textContent = item.test || item.signIn ? "" : said.which(item.card);
  const done = () => {
    leave(id);
    changed();
  };
  named(element, "done").addEventListener("click", done);
  setTimeout(() => items.get(id) === item && done(), kind === "late" ? LATE_RESULT_MS : RESULT_MS);
  return element;
}

// A result goes. Cards may move up under a finger then: they take no tap for a moment.
export function leave(id) {
  items.get(id)?.element?.remove();
  items.delete(id);
  for (const item of waiting()) guard(item);
}

export function guard(item) {
  item.ready = false;
  clearTimeout(item.guard);
  item.guard = setTimeout(() => {
    item.ready = true;
    tick();
  }, TAP_GUARD_MS);
}

// How long it still waits, as a bar and in words. Returns the milliseconds.
export function showTime(part, { card, from }, now) {
  const left = Math.max(0, card.ends_at - now);
  write(named(part, "left"), left ? said.left(Math.ceil(left / 1000)) : texts.card_over);
  named(part, "bar").style.transform = `scaleX(${Math.min(1, left / (card.ends_at - from))})`;
  part.classList.toggle("ending", left < 10_000);
  return left;
}

// Times and bars, by the server's clock.
export function tick() {
  const now = serverNow();
  for (const item of items.values()) {
    const { card, element, result, ready, sending, test } = item;
    if (result || !element) continue;
    if (test) {
      named(element, "ok").disabled = Boolean(sending);
      continue;
    }
    write(named(element, "when"), said.ago(Math.max(0, Math.floor((now - card.opened_at) / 1000))));
    const left = showTime(element, item, now);
    for (const name of ["yes", "no"]) named(element, name).disabled = !ready || sending || !left;
    const required = item.signIn ? page.guarded : card.biometrics === "required";
    const missing = required && !page.credential;
    named(element, "biometrics").hidden = !missing;
    element.classList.toggle("is-long", Boolean(item.signIn) || missing || named(element, "wrong").textContent !== "");
    // Nobody could be let in by it.
    if (card.late === "over" || missing) named(element, "yes").disabled = true;
    if (!item.signIn) named(element, "without").disabled = named(element, "yes").disabled;
  }
  tickNumber();
}
