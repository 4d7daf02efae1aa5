// In a matching mode, the number of a yes: alone on the screen, so that it is typed and not guessed at in passing.

import { guard, showTime } from "./cards.js";
import { named, show, showing, write } from "./screen.js";
import { changed, items, page, serverNow } from "./state.js";
import { texts } from "./texts.js";

const NUMBER = /^[0-9]{2}$/;

// The request whose number is asked for, as long as it waits.
export function numbered() {
  const item = items.get(page.number?.id);
  return item && !item.result ? item : null;
}

// `give(number)` goes on with the two digits.
export function askNumber(id, give) {
  page.number = { id, give };
  guard(items.get(id)); // the tap that said yes was for the card
  changed();
}

// Back to its card. False: it was not shown.
export function leaveNumber(id) {
  if (page.number?.id !== id) return false;
  const { element } = items.get(id);
  page.number = null;
  changed();
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest" });
  return true;
}

// Why it did not go. False: its screen is not there to say it.
export function sayAtNumber(id, words) {
  if (page.number?.id !== id || !showing("number")) return false;
  tell(document.querySelector("form.number"), words);
  return true;
}

export function showNumber() {
  let built = false;
  const part = show(
    "number",
    (form) => {
      fill(form, page.number.id, numbered());
      built = true;
    },
    page.number.id,
  );
  // At once, within the tap: or else the keyboard of an iPhone stays away.
  if (built) named(part, "number").focus({ preventScroll: true });
  tickNumber();
}

function fill(form, id, item) {
  const field = named(form, "number");
  field.value = item.typed ?? "";
  field.addEventListener("input", () => {
    item.typed = field.value;
  });
  named(form, "back").addEventListener("click", () => {
    guard(item);
    leaveNumber(id);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!item.ready || item.sending) return;
    const number = field.value.trim();
    const right = NUMBER.test(number);
    tell(form, right ? "" : texts.number_two);
    if (right) page.number.give(number);
    else field.focus();
  });
}

// In the place of the sentence above the field: nothing moves, and the keyboard covers neither.
function tell(form, words) {
  write(named(form, "number-wrong"), words);
  form.classList.toggle("is-wrong", words !== "");
  named(form, "number").setAttribute("aria-invalid", String(words !== ""));
}

export function tickNumber() {
  const item = numbered();
  if (!item || !showing("number")) return;
  const form = document.querySelector("form.number");
  const left = showTime(form, item, serverNow());
  const { ready, sending } = item;
  named(form, "number").readOnly = Boolean(sending);
  named(form, "go").disabled = !ready || sending || !left;
  named(form, "back").disabled = !ready || sending;
  write(named(form, "go"), sending ? texts.card_sending : texts.number_approve);
}
