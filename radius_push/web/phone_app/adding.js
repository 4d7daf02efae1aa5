// Adding this phone: the form, the Home Screen of an iPhone, and the digits that the issuer types.

import { codeOf, offered } from "./biometrics.js";
import { NoKey, Refused, Unreachable, confirmationCode, enrol } from "./core.js";
import { named, show, write, writeCode } from "./screen.js";
import { changed, items, page } from "./state.js";
import { keepListening } from "./stream.js";
import { texts } from "./texts.js";

const KINDS = ["iPhone", "iPad", "Android", "Mac", "Windows", "Linux"]; // as browsers name them

// On an iPhone the Home Screen has a storage of its own: a key made in Safari would be lost.
export const mustInstall = () => navigator.standalone === false;

export function showAdd() {
  show("add", (part) => fillAdd(part, page.token), page.token ?? "");
}

function fillAdd(form, byToken) {
  named(form, "lead").textContent = byToken ? texts.add_by_link : texts.add_by_code;
  named(form, "again").hidden = !page.phone;
  named(form, "code-field").hidden = Boolean(byToken);
  named(form, "code").placeholder = texts.add_code_example;
  named(form, "phone").value = ownName();
  named(form, "back").hidden = !page.phone;
  named(form, "back").addEventListener("click", () => {
    page.token = null;
    page.adding = false;
    changed();
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
  const kind = KINDS.find((word) => agent.includes(word));
  return kind ? texts[`add_${kind.toLowerCase()}`] : "";
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
    page.offer = await offered().catch(() => "off"); // it can be set up later, too
    begin(added);
  } catch (problem) {
    if (problem instanceof NoKey) {
      page.trouble = "nokey";
      page.adding = false;
      return changed();
    }
    const word = problem instanceof Refused ? problem.word : problem instanceof Unreachable ? "unreachable" : "";
    write(wrong, texts[`refused_${word}`] ?? texts.refused_otherwise);
    go.disabled = false;
    write(go, texts.add_button);
  }
  return undefined;
}

function begin(added) {
  page.phone = added;
  page.token = page.trouble = null;
  page.adding = false;
  page.device = "pending";
  items.clear();
  keepListening();
  changed();
}

export function showWaiting() {
  show(
    "waiting",
    async (part) => {
      const code = (await codeOf(page.phone, page.waiting)) ?? (await confirmationCode(page.phone));
      writeCode(named(part, "code"), code);
    },
    `${page.phone.device} ${page.waiting ?? ""}`,
  );
}
