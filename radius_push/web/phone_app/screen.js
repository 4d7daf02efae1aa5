// How a screen is built from the page's templates: rebuilt only when another one is due.

import { texts } from "./texts.js";

const screen = document.getElementById("screen");
let shown = "";

export function build(name) {
  const part = document.getElementById(name).content.cloneNode(true).firstElementChild;
  for (const element of part.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
  return part;
}

export const named = (part, name) => part.querySelector(`[data-name="${name}"]`);

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Show `name`, built by `fill` only if another screen was there. `key` tells two of one kind apart.
export function show(name, fill, key = "") {
  if (shown === `${name} ${key}`) return screen.firstElementChild;
  shown = `${name} ${key}`;
  const part = build(name);
  fill(part);
  screen.replaceChildren(part);
  window.scrollTo(0, 0);
  return part;
}

export const showing = (name) => shown.startsWith(`${name} `);

// An address, which may be broken after its colons and nowhere else.
export function writeAddress(element, address) {
  if (element.textContent === address) return;
  const [first, ...groups] = address.split(":");
  element.replaceChildren(first, ...groups.flatMap((group) => [":", document.createElement("wbr"), group]));
}

// Six digits, to be read out.
export function writeCode(element, code) {
  write(element, `${code.slice(0, 3)}\u2009${code.slice(3)}`);
  element.setAttribute("aria-label", [...code].join(" "));
}

// Said at once by a screen reader, and seen by nobody.
export function speak(text) {
  document.getElementById("spoken").textContent = text;
}
