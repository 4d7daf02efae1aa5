// Setting up a fingerprint or face, and taking it away: once while the phone is added, and on the home screen. And
// where it is asked for beyond sign-ins to a VPN.

import { ASK_MS, NoFinger, codeOf, offered, remove, setUp, use } from "./biometrics.js";
import { Refused, Unreachable } from "./core.js";
import { named, show, write, writeCode } from "./screen.js";
import { changed, page } from "./state.js";
import { texts } from "./texts.js";

let offer = null; // what sign-ins here may ask for; null: not known yet
let working = false;
let sure = false; // the person has tapped once to take it away
let draw = () => {};

export const onFingerChange = (render) => {
  draw = render;
};

function why(problem) {
  if (problem instanceof NoFinger) return texts.finger_not_done;
  return problem instanceof Unreachable ? texts.finger_unreachable : texts.finger_failed;
}

// --- for what adds and removes phones -------------------------------------------------------------------

// As `answer` takes it; undefined: not asked for, or this phone has none, and the server will say so.
export function guarding(milliseconds = ASK_MS) {
  if (!page.guarded || !page.credential) return undefined;
  return (payload) => use(page.credential, payload, milliseconds);
}

// Why it was not done, if that is the reason.
export function whyGuarded(problem) {
  if (problem instanceof NoFinger) return texts.guard_again;
  const word = problem instanceof Refused ? problem.word : "";
  if (word === "biometrics_missing") return texts.guard_missing;
  if (word === "biometrics_needed") return texts.guard_again;
  return word === "biometrics_failed" ? texts.guard_failed : undefined;
}

// --- while the phone is added ------------------------------------------------------------------------

export function showOffer() {
  show("offer", (part) => {
    named(part, "lead").textContent = texts[`offer_${page.offer}`];
    named(part, "later").addEventListener("click", leaveOffer);
    named(part, "go").addEventListener("click", () => accept(part));
  });
}

function leaveOffer() {
  page.offer = "off";
  changed();
}

async function accept(part) {
  const go = named(part, "go");
  go.disabled = true;
  write(named(part, "wrong"), "");
  try {
    await setUp(page.phone);
    leaveOffer();
  } catch (problem) {
    write(named(part, "wrong"), why(problem));
    go.disabled = false;
  }
}

// --- on the home screen --------------------------------------------------------------------------------

export function fillFinger(home) {
  sure = false;
  named(home, "finger-go").addEventListener("click", () => tapped(home));
}

function stateNow() {
  if (page.waiting) return "waits";
  if (page.credential) return "on";
  return offer === "optional" || offer === "required" ? "none" : "hidden";
}

export function showFinger(home, connection) {
  if (connection !== "live" || page.device !== "active") {
    named(home, "finger").hidden = true;
    return;
  }
  if (offer === null) askOffer();
  const state = stateNow();
  named(home, "finger").hidden = state === "hidden";
  if (state === "hidden") return;
  named(home, "finger").dataset.state = state;
  if (state === "waits") fillCode(home);
  else {
    named(home, "finger-code").hidden = true;
    write(named(home, "finger-text"), texts[`finger_${state}`]);
  }
  write(named(home, "finger-go"), texts[sure ? "finger_sure" : `finger_button_${state}`]);
  named(home, "finger-go").disabled = working;
}

async function askOffer() {
  offer = "off";
  try {
    offer = await offered();
    draw();
  } catch {
    offer = null; // asked again at the next change
  }
}

async function fillCode(home) {
  const waiting = page.waiting;
  const code = await codeOf(page.phone, waiting);
  if (waiting !== page.waiting) return;
  named(home, "finger-code").hidden = !code;
  if (code) writeCode(named(home, "finger-code"), code);
  write(named(home, "finger-text"), code ? texts.finger_waits : texts.finger_lost);
}

async function tapped(home) {
  const state = stateNow();
  if (state === "on" && !sure) {
    sure = true;
    return draw();
  }
  sure = false;
  working = true;
  write(named(home, "finger-wrong"), "");
  draw();
  try {
    await (state === "none" ? setUp(page.phone) : remove(page.phone));
  } catch (problem) {
    write(named(home, "finger-wrong"), why(problem));
  }
  working = false;
  return draw();
}
