// A sign-in to the page for one's own phones: a card of its own kind. No answer to it lets anybody in to a VPN.

import { finish, guard, tick } from "./cards.js";
import { Refused, answerSignIn } from "./core.js";
import { guarding, whyGuarded } from "./finger.js";
import { build, named, speak, write, writeAddress } from "./screen.js";
import { items, page, serverNow } from "./state.js";
import { lose } from "./stream.js";
import { texts } from "./texts.js";

export function signInCardOf(id, item) {
  const { card } = item;
  const element = (item.element = build("sign-in-card"));
  item.from = card.opened_at;
  card.ends_at = card.expires_at;
  named(element, "code").textContent = card.code;
  named(element, "page").textContent = new URL(card.page).host;
  named(element, "account").textContent = card.account;
  writeAddress(named(element, "address"), card.address ?? texts.card_address_none);
  named(element, "yes").addEventListener("click", () => say(id, "portal_approve"));
  named(element, "no").addEventListener("click", () => say(id, "portal_deny"));
  guard(item);
  speak(texts.sign_in_title);
  return element;
}

async function say(id, purpose) {
  const item = items.get(id);
  if (!item || item.sending || item.result) return;
  item.sending = true;
  write(named(item.element, "wrong"), "");
  tick();
  try {
    const finger = purpose === "portal_approve" ? guarding(item.card.expires_at - serverNow()) : undefined;
    finish(id, await answerSignIn(page.phone, item.card, purpose, finger));
  } catch (problem) {
    hearRefusal(id, item, problem);
  }
}

function hearRefusal(id, item, problem) {
  const word = problem instanceof Refused ? problem.word : "";
  if (word === "unknown_device" || word === "removed") return lose(word === "removed" ? "removed" : "unknown");
  if (word === "too_late" || word === "unknown_question") return finish(id, "too_late");
  item.sending = false;
  write(named(item.element, "wrong"), whyGuarded(problem) ?? (word ? texts.card_failed : texts.card_not_sent));
  if (item.closed) return finish(id, item.closed);
  return tick();
}
