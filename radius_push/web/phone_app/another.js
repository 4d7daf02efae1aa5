// This phone adds another one of the same person: it shows a link and a code, and asks for the new one's digits.

import { Refused, Unreachable, says } from "./core.js";
import { guarding, whyGuarded } from "./finger.js";
import { build, named, show, speak, write } from "./screen.js";
import { changed, page, serverNow } from "./state.js";
import { said, texts } from "./texts.js";

// page.another: null, or {step, invitation, qr, code, expires_at, phone, wrong, full}
// step: asking, shown, confirming, done, over

let left = null; // the invitation that the person has turned away from

export async function begin() {
  const another = (page.another = { step: "asking" });
  changed();
  try {
    Object.assign(another, await says(page.phone, "/api/invite", "invite", {}, guarding()), { step: "shown" });
  } catch (problem) {
    const full = problem instanceof Refused && problem.word === "too_many_devices";
    Object.assign(another, { step: "over", wrong: wordsOf(problem), full });
  }
  if (page.another === another) changed();
}

const wordsOf = (problem) => {
  const word = problem instanceof Refused ? problem.word : problem instanceof Unreachable ? "unreachable" : "";
  return whyGuarded(problem) ?? texts[`refused_${word}`] ?? texts.refused_otherwise;
};

// What the stream says of it: the new phone came, or somebody began anew elsewhere.
export function hearAdding(adding) {
  const { another } = page;
  page.mayAdd = Boolean(adding);
  if (!adding || !another) {
    // It came while this app was closed: its digits are still to be typed.
    if (adding?.phone && adding.invitation !== left) page.another = { step: "shown", ...adding };
    return;
  }
  if (another.step !== "shown") return;
  if (adding.invitation === another.invitation) {
    if (adding.phone && !another.phone) speak(said.came(adding.phone));
    another.phone = adding.phone;
  } else Object.assign(another, { step: "over", wrong: texts.another_over });
}

export function showAnother() {
  const { another } = page;
  const here = ["shown", "confirming"].includes(another.step);
  const stage = here ? (another.phone ? "came" : "shown") : another.step;
  show("another", (part) => fill(part, stage, another), `${stage} ${another.invitation ?? ""}`);
}

function fill(part, stage, another) {
  const body = build(`another-${stage}`);
  named(part, "body").replaceWith(body);
  const leave = named(part, "leave");
  leave.textContent = stage === "done" ? texts.result_done : texts.another_leave;
  leave.addEventListener("click", () => {
    left = another.invitation;
    page.another = null;
    changed();
  });
  if (stage === "shown") {
    named(body, "qr").src = another.qr;
    named(body, "qr").alt = texts.another_qr;
    named(body, "open").textContent = said.open(location.host);
    named(body, "code").textContent = another.code;
    tickAnother();
  }
  if (stage === "came") fillCame(body, another);
  if (stage === "done") named(body, "text").textContent = said.added(another.phone);
  if (stage === "over") {
    named(body, "wrong").textContent = another.wrong;
    named(body, "again").hidden = another.full; // it would end the same
    named(body, "again").addEventListener("click", begin);
  }
}

function fillCame(form, another) {
  named(form, "came").textContent = said.came(another.phone);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    confirm(form, another);
  });
}

async function confirm(form, another) {
  const typed = named(form, "digits").value.replace(/\D/g, "");
  if (typed.length !== 6) return write(named(form, "wrong"), texts.another_six);
  const go = named(form, "go");
  go.disabled = true;
  write(named(form, "wrong"), "");
  another.step = "confirming"; // what the stream says of it now is what we have just done
  try {
    const fields = { invitation: another.invitation, code: typed };
    const told = await says(page.phone, "/api/confirm", "confirm", fields, guarding());
    if (told.outcome === "wrong") again(form, another, texts.another_wrong);
    else if (told.outcome === "confirmed") another.step = "done";
    else Object.assign(another, { step: "over", wrong: texts.another_given_up });
  } catch (problem) {
    if (problem instanceof Refused && problem.word === "too_late") {
      Object.assign(another, { step: "over", wrong: texts.another_over });
    } else again(form, another, wordsOf(problem));
  }
  go.disabled = false;
  return changed();
}

function again(form, another, words) {
  another.step = "shown";
  write(named(form, "wrong"), words);
}

export function tickAnother() {
  const { another } = page;
  const left = document.querySelector('[data-name="another-left"]');
  if (!left || another?.step !== "shown") return;
  const seconds = Math.ceil((another.expires_at - serverNow()) / 1000);
  if (seconds > 0) write(left, said.left(seconds));
  else {
    Object.assign(another, { step: "over", wrong: texts.another_over });
    changed();
  }
}
