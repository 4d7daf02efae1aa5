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
  const invitation = byToken ? { token: byToken } : { code };
  try {
    await come(invitation, name);
  } catch (problem) {
    if (problem instanceof Refused && problem.word === "password_needed") {
      page.proving = { invitation, name };
      return changed();
    }
    failed(form, problem);
  }
  return undefined;
}

async function come(invitation, name) {
  const added = await enrol(invitation, name);
  page.offer = await offered().catch(() => "off"); // it can be set up later, too
  begin(added);
}

function failed(form, problem) {
  if (problem instanceof NoKey) {
    page.trouble = "nokey";
    page.adding = false;
    page.proving = null;
    return changed();
  }
  const word = problem instanceof Refused ? problem.word : problem instanceof Unreachable ? "unreachable" : "";
  write(named(form, "wrong"), texts[`refused_${word}`] ?? texts.refused_otherwise);
  named(form, "go").disabled = false;
  return write(named(form, "go"), texts.add_button);
}

// The one screen that asks for a password: what was sent can be in others' hands.
export function showPassword() {
  show("password", (form) => {
    named(form, "back").addEventListener("click", () => {
      page.proving = null;
      changed();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      prove(form);
    });
  });
}

async function prove(form) {
  const field = named(form, "password");
  if (!field.value) return write(named(form, "wrong"), texts.password_none);
  const go = named(form, "go");
  write(named(form, "wrong"), "");
  go.disabled = true;
  write(go, texts.add_working);
  const { invitation, name } = page.proving;
  try {
    await come({ ...invitation, password: field.value }, name);
  } catch (problem) {
    failed(form, problem);
    field.select();
  }
  field.value = "";
  return undefined;
}

function begin(added) {
  page.phone = added;
  page.token = page.trouble = page.proving = null;
  page.adding = false;
  page.device = added.state;
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
