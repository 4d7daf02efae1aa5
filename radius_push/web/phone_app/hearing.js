// What the server says becomes cards: those that are asked now, and what became of the others.

import { hearAdding } from "./another.js";
import { finish, hearAgain, leave } from "./cards.js";
import { closeNotifications, renewNotifications } from "./notify.js";
import { changed, items, page, waiting } from "./state.js";
import { lose } from "./stream.js";

export function hear(kind, state) {
  if (kind === "replaced") {
    page.connection = "replaced";
    return changed();
  }
  if (kind !== "state") return undefined;
  page.connection = "live";
  page.ahead = state.now - performance.now();
  page.device = state.device.state;
  page.recent = state.recent ?? [];
  page.push = state.push ?? page.push;
  page.notices = state.notices;
  page.credential = state.device.credential;
  page.guarded = Boolean(state.device.guarded);
  page.waiting = state.device.waiting_credential;
  if (page.device === "removed") return lose("removed");
  const open = new Set();
  for (const card of state.questions) {
    open.add(card.id);
    if (items.has(card.id)) {
      hearAgain(items.get(card.id), card);
      continue;
    }
    // What is over must not stand in front of what is asked.
    if (!waiting().length) for (const id of items.keys()) leave(id);
    items.set(card.id, { card });
  }
  for (const card of state.tests) {
    open.add(card.id);
    // A test must not stand in front of a real request: it comes back after it.
    if (!state.questions.length) {
      if (!items.has(card.id)) items.set(card.id, { card, test: true });
    } else if (items.has(card.id)) leave(card.id);
  }
  for (const card of state.sign_ins ?? []) {
    open.add(card.id);
    if (!items.has(card.id)) items.set(card.id, { card, signIn: true });
  }
  const closed = new Map(state.closed.map((row) => [row.id, row]));
  for (const [id, item] of items) {
    if (open.has(id) || item.result) continue;
    const result = item.test ? "test_over" : item.signIn ? "over" : resultWord(closed.get(id));
    if (item.sending) item.closed = result; // our own answer is on its way: it knows best
    else finish(id, result);
  }
  if (page.device === "active") {
    hearAdding(state.adding);
    renewNotifications(page.phone, page.push.channels.web_push);
    closeNotifications(open);
  }
  return changed();
}

function resultWord(row) {
  if (!row) return "over";
  if (row.outcome === "timed_out") return "too_late";
  if (row.outcome === "closed" || row.by_this_device) return row.outcome;
  return `${row.outcome}_elsewhere`;
}
