// What this phone is told of the person's other phones: it stays until somebody has seen it.

import { Refused, says } from "./core.js";
import { guarding, whyGuarded } from "./finger.js";
import { build, named, write } from "./screen.js";
import { changed, page } from "./state.js";
import { said, texts } from "./texts.js";

const shown = new Map(); // id -> element

export function showNotices(list) {
  list.hidden = !page.notices.length;
  const there = new Set(page.notices.map(({ id }) => id));
  for (const [id, element] of shown) {
    if (there.has(id)) continue;
    element.remove();
    shown.delete(id);
  }
  for (const notice of page.notices) {
    if (!shown.has(notice.id)) shown.set(notice.id, card(notice));
    const element = shown.get(notice.id);
    if (element.parentElement !== list) list.append(element);
  }
}

function card(notice) {
  const part = build("notice");
  part.dataset.notice = notice.kind;
  named(part, "title").textContent = texts[`notice_${notice.kind}_title`];
  named(part, "text").textContent = said.notice(notice);
  const remove = named(part, "remove");
  remove.hidden = notice.kind !== "device_added";
  write(remove, texts.notice_remove);
  remove.addEventListener("click", () => {
    const sure = named(part, "sure");
    if (!sure.hidden) return answer(part, notice, "remove");
    sure.hidden = false;
    return write(remove, texts.notice_remove_now);
  });
  named(part, "seen").addEventListener("click", () => answer(part, notice, "seen"));
  return part;
}

async function answer(part, notice, word) {
  const buttons = part.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  write(named(part, "wrong"), "");
  try {
    const fields = { notice: notice.id, answer: word };
    await says(page.phone, "/api/notice", "notice", fields, word === "remove" ? guarding() : undefined);
  } catch (problem) {
    if (!(problem instanceof Refused) || problem.word !== "unknown_notice") {
      write(named(part, "wrong"), whyGuarded(problem) ?? texts.notice_failed);
      for (const button of buttons) button.disabled = false;
      return;
    }
  }
  page.notices = page.notices.filter(({ id }) => id !== notice.id);
  changed();
}
