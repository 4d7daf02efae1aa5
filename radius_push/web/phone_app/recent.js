// What was approved a short time ago, by any of the person's phones: they may look again, and say it was not them.

import { Refused, says } from "./core.js";
import { build, named, speak, write, writeAddress } from "./screen.js";
import { page, serverNow } from "./state.js";
import { lose } from "./stream.js";
import { said, texts } from "./texts.js";

const shown = new Map(); // id -> {row, element, step}; step: asked, sure, sending, failed, late

export function showRecent(part) {
  const list = named(part, "recent");
  const rows = new Map(page.recent.map((row) => [row.id, row]));
  for (const [id, { element }] of shown) {
    if (rows.has(id)) continue;
    element.remove();
    shown.delete(id);
  }
  for (const row of rows.values()) {
    const item = shown.get(row.id) ?? added(row);
    item.row = row;
    if (item.element.parentNode !== list) list.append(item.element);
    drawn(item);
  }
  list.hidden = !rows.size;
}

function added(row) {
  const item = { row, step: "asked", element: build("recent") };
  const { element } = item;
  named(element, "client").textContent = row.client;
  named(element, "account").textContent = row.account;
  writeAddress(named(element, "address"), row.address ?? texts.card_address_none);
  named(element, "login").textContent = row.login;
  named(element, "not-me").addEventListener("click", () => become(item, "sure"));
  named(element, "back").addEventListener("click", () => become(item, "asked"));
  named(element, "tell").addEventListener("click", () => tell(item));
  shown.set(row.id, item);
  return item;
}

function become(item, step) {
  item.step = step;
  drawn(item);
  const next = named(item.element, step === "sure" ? "back" : "not-me");
  if (!next.hidden && !next.closest("[hidden]")) next.focus({ preventScroll: true });
}

function drawn({ row, step, element }) {
  const told = row.contested;
  const sure = !told && ["sure", "sending", "failed"].includes(step);
  named(element, "not-me").hidden = told || sure || step === "late";
  named(element, "ask").hidden = !sure;
  named(element, "sure").hidden = !sure;
  for (const name of ["tell", "back"]) named(element, name).disabled = step === "sending";
  write(named(element, "wrong"), step === "failed" ? texts.card_not_sent : step === "late" ? texts.recent_too_late : "");
  named(element, "told").hidden = !told;
  ticked({ row, element });
}

function ticked({ row, element }) {
  const past = Math.max(0, Math.floor((serverNow() - row.answered_at) / 1000));
  write(named(element, "when"), said.approved(said.ago(past)));
}

// Is the person about to say that it was not them?
export const beingTold = () =>
  [...shown.values()].some(({ row, step }) => !row.contested && ["sure", "sending", "failed"].includes(step));

export function tickRecent() {
  for (const item of shown.values()) ticked(item);
}

async function tell(item) {
  become(item, "sending");
  const { id: question, person, client, address } = item.row;
  try {
    await says(page.phone, "/api/contest", "contest", { question, person, client, address });
    item.row.contested = true;
    speak(texts.recent_told);
    drawn(item);
  } catch (problem) {
    const word = problem instanceof Refused ? problem.word : "";
    if (word === "unknown_device" || word === "removed") return lose(word === "removed" ? "removed" : "unknown");
    become(item, word === "too_late" || word === "unknown_question" ? "late" : "failed");
  }
  return undefined;
}
