// The phone's key, what it signs, and what it says to the server.

const VERSION = 1;
const DATABASE = "radius-push";
const KEEP = "phone";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const REQUEST_MS = 15_000;
const SILENCE_MS = 35_000; // the server pings every 15 s

export class Refused extends Error {
  constructor(word) {
    super(word);
    this.word = word;
  }
}
export class Unreachable extends Error {}
export class NoKey extends Error {}

// --- what is kept on the phone ---------------------------------------------------------------------

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(KEEP);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

async function inStore(mode, work) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(KEEP, mode);
      const request = work(transaction.objectStore(KEEP));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const keep = (name, value) => inStore("readwrite", (store) => store.put(value, name));
export const kept = (name) => inStore("readonly", (store) => store.get(name));
export const drop = (name) => inStore("readwrite", (store) => store.delete(name));

// A mark outside the database: without it a phone whose key is gone looks like one that never had any.
const MARK = "radius-push-added";
const marked = () => {
  try {
    return localStorage.getItem(MARK) !== null;
  } catch {
    return false;
  }
};
const mark = (on) => {
  try {
    if (on) localStorage.setItem(MARK, "1");
    else localStorage.removeItem(MARK);
  } catch {
    // Without storage there is nothing to remember either.
  }
};

// The enrolled phone, or null, or "gone": it was there once.
export async function loadPhone() {
  try {
    const phone = await kept("device");
    if (phone?.key && phone.origin === location.origin) {
      await crypto.subtle.sign(SIGNING, phone.key, new Uint8Array(1));
      return phone;
    }
  } catch {
    // No database, or a key that does not sign: the same as none.
  }
  return marked() ? "gone" : null;
}

export async function forgetPhone() {
  mark(false);
  try {
    await drop("device");
    await drop("push");
    await drop("biometric");
  } catch {
    // What can't be opened holds nothing.
  }
}

// A new key that was stored, read back and has signed, before anything is used up for it.
async function newKey() {
  try {
    const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
    await keep("candidate", pair.privateKey);
    const key = await kept("candidate");
    const probe = crypto.getRandomValues(new Uint8Array(16));
    const signature = await crypto.subtle.sign(SIGNING, key, probe);
    if (!(await crypto.subtle.verify(SIGNING, pair.publicKey, signature, probe))) throw new Error("wrong key");
    return { key, publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
  } catch (problem) {
    throw new NoKey(String(problem));
  }
}

// --- signing -----------------------------------------------------------------------------------------

export function base64url(octets) {
  const text = btoa(String.fromCharCode(...new Uint8Array(octets)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function signed(key, said) {
  const payload = JSON.stringify({ version: VERSION, origin: location.origin, ...said });
  const signature = await crypto.subtle.sign(SIGNING, key, new TextEncoder().encode(payload));
  return { payload, signature: base64url(signature) };
}

// The 6 digits that the issuer types: both sides compute them from the invitation and the public key.
// `credential`: the mark of a fingerprint or face that waits with them.
export async function confirmationCode({ invitation, publicKey }, credential = new Uint8Array(0)) {
  const what = credential.length ? "confirm biometrics" : "confirm";
  const text = new TextEncoder().encode(`radius-push ${what} v1\0${invitation}\0`);
  const octets = new Uint8Array(text.length + publicKey.length + credential.length);
  octets.set(text);
  octets.set(publicKey, text.length);
  octets.set(credential, text.length + publicKey.length);
  const digest = await crypto.subtle.digest("SHA-256", octets);
  return String(new DataView(digest).getBigUint64(0) % 1_000_000n).padStart(6, "0");
}

// --- requests ----------------------------------------------------------------------------------------

async function request(path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal,
    });
  } catch (problem) {
    throw new Unreachable(String(problem));
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  if (typeof told.error !== "string" || response.status >= 500) throw new Unreachable(String(response.status));
  throw new Refused(told.error);
}

async function ask(path, body) {
  const response = await request(path, body, AbortSignal.timeout(REQUEST_MS));
  try {
    return await response.json();
  } catch (problem) {
    throw new Unreachable(String(problem));
  }
}

export const nonce = async () => (await ask("/api/nonce", {})).nonce;

// `invitation` is {token} or {code}, with the `password` if it was sent. Returns the phone as it is kept.
export async function enrol(invitation, name) {
  const { key, publicKey } = await newKey();
  const said = { purpose: "enrol", nonce: await nonce(), public_key: base64url(publicKey), name };
  const told = await ask("/api/enrol", { ...invitation, ...(await signed(key, said)) });
  const phone = { ...told, key, publicKey, origin: location.origin };
  await keep("device", phone);
  await drop("candidate");
  await drop("push");
  await drop("biometric");
  mark(true);
  return phone;
}

// Returns "approved", "approved_late" or "denied"; why it was not taken is the word of the Refused.
// `finger(payload)`: what the authenticator says to this very text, beside the key's signature. `number`: the
// two digits of a yes in a matching mode; without it the text has no such field.
export async function answer(phone, card, purpose, finger = () => ({}), number = undefined) {
  const body = await signed(phone.key, {
    purpose,
    question: card.id,
    person: card.person,
    device: phone.device,
    client: card.client,
    address: card.address,
    number_mode: card.number_mode,
    number, // undefined is left out of what is signed
    nonce: card.nonce,
    late: card.late,
    expires_at: card.expires_at,
  });
  return (await ask("/api/answer", { ...body, ...(await finger(body.payload)) })).outcome;
}

// To a sign-in to the page for one's own phones. Returns "approved" or "denied".
export async function answerSignIn(phone, card, purpose, finger = () => ({})) {
  const body = await signed(phone.key, {
    purpose,
    sign_in: card.id,
    person: card.person,
    device: phone.device,
    page: card.page,
    address: card.address,
    nonce: card.nonce,
    expires_at: card.expires_at,
  });
  return (await ask("/api/sign-in-answer", { ...body, ...(await finger(body.payload)) })).outcome;
}

// A signed request that is no answer: what the server told. `finger`: as of an answer.
export async function says(phone, path, purpose, fields = {}, finger = () => ({})) {
  const said = { purpose, device: phone.device, ...fields, nonce: fields.nonce ?? (await nonce()) };
  const body = await signed(phone.key, said);
  return ask(path, { ...body, ...(await finger(body.payload)) });
}

export async function config() {
  const response = await fetch("/api/config", { cache: "no-store", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(REQUEST_MS) }).catch((problem) => {
    throw new Unreachable(String(problem));
  });
  if (!response.ok) throw new Unreachable(String(response.status));
  return response.json();
}

// --- the stream --------------------------------------------------------------------------------------

// Calls `onEvent(kind, data)` until the stream ends. `signal` ends it from here.
export async function listen(phone, onEvent, signal) {
  const said = { purpose: "stream", device: phone.device, nonce: await nonce() };
  const quiet = new AbortController();
  let timer = setTimeout(() => quiet.abort(), SILENCE_MS);
  const stop = () => quiet.abort();
  signal.addEventListener("abort", stop);
  try {
    const response = await request("/api/stream", await signed(phone.key, said), quiet.signal);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), SILENCE_MS);
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) hear(event, onEvent);
    }
  } catch (problem) {
    throw problem instanceof Refused ? problem : new Unreachable(String(problem));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

function hear(event, onEvent) {
  const lines = new Map(event.split("\n").map((line) => line.split(/: (.*)/s, 2)));
  if (lines.has("event") && lines.has("data")) onEvent(lines.get("event"), JSON.parse(lines.get("data")));
}
