// The screens with no request: all is well, or why nothing can appear.

import { begin as beginAnother } from "./another.js";
import { Refused, forgetPhone } from "./core.js";
import { askForNotifications, notifyState, sendTest } from "./notify.js";
import { showNotices } from "./notices.js";
import { fillFinger, showFinger } from "./finger.js";
import { named, show, write } from "./screen.js";
import { showRecent } from "./recent.js";
import { changed, page, serverNow } from "./state.js";
import { said, texts } from "./texts.js";

export function showHome() {
  const part = show("home", (home) => {
    named(home, "account").textContent = page.phone.account;
    named(home, "phone").textContent = page.phone.name;
    named(home, "turn-on").addEventListener("click", () => askForNotifications(page.phone));
    named(home, "test").addEventListener("click", () => test(home));
    named(home, "add-another").addEventListener("click", beginAnother);
    fillFinger(home);
  });
  const state = page.connection === "live" && page.device === "restored" ? "restored" : page.connection;
  write(named(part, "state"), texts[`home_title_${state}`]);
  write(named(part, "lead"), texts[`home_${state}`]);
  named(part, "tick").style.visibility = state === "live" ? "visible" : "hidden";
  const notify = notifyState();
  named(part, "notify").dataset.state = notify;
  write(named(part, "notify-text"), texts[`notify_${notify}`]);
  named(part, "turn-on").hidden = !["ask", "failed"].includes(notify);
  write(named(part, "turn-on"), notify === "failed" ? texts.notify_again : texts.notify_button);
  named(part, "test").hidden = state !== "live";
  showNotices(named(part, "notices"));
  showFinger(part, state);
  named(part, "add-another").hidden = state !== "live" || !page.mayAdd;
  showRecent(part);
  tickHome();
}

// When a notification came last, so that a phone that hears none is noticed.
export function tickHome() {
  const line = document.querySelector('[data-name="push-seen"]');
  if (!line) return;
  const rung = notifyState() === "on" && page.push.channels.web_push === "on";
  const ago = page.push.seen_at && Math.max(0, Math.floor((serverNow() - page.push.seen_at) / 1000));
  line.hidden = !rung;
  if (rung) write(line, ago === null ? texts.push_never : said.seen(said.ago(ago)));
}

async function test(home) {
  const button = named(home, "test");
  button.disabled = true;
  write(named(home, "test-wrong"), "");
  try {
    await sendTest(page.phone);
  } catch (problem) {
    const tooMany = problem instanceof Refused && problem.word === "too_many_tests";
    write(named(home, "test-wrong"), tooMany ? texts.test_too_many : texts.test_failed);
  }
  button.disabled = false;
}

export function showTrouble() {
  show(
    "trouble",
    (part) => {
      const noKey = page.trouble === "nokey";
      named(part, "title").textContent = noKey ? texts.nokey_title : texts.gone_title;
      named(part, "text").textContent = noKey ? texts.nokey_text : texts[`gone_${page.trouble}`];
      named(part, "actions").hidden = noKey;
      named(part, "go").addEventListener("click", async () => {
        await forgetPhone();
        page.phone = page.trouble = page.another = null;
        page.adding = true;
        changed();
      });
    },
    page.trouble,
  );
}
