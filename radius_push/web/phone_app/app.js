// The beginning: what is true decides which screen is shown.

import { mustInstall, showAdd, showPassword, showWaiting } from "./adding.js";
import { showAnother, tickAnother } from "./another.js";
import { showRequests, tick } from "./cards.js";
import { loadPhone } from "./core.js";
import { onFingerChange, showOffer } from "./finger.js";
import { hear } from "./hearing.js";
import { showHome, showTrouble, tickHome } from "./home.js";
import { onNotifyChange } from "./notify.js";
import { numbered, showNumber } from "./number.js";
import { beingTold, tickRecent } from "./recent.js";
import { show, showing, write } from "./screen.js";
import { items, onChange, page, waiting } from "./state.js";
import { keepListening, onHeard } from "./stream.js";
import { language, said, texts } from "./texts.js";

const TICK_MS = 250;

function render() {
  renderScreen();
  renderHeader();
}

function renderScreen() {
  if (page.trouble && !page.adding) return showTrouble();
  if (page.proving) return showPassword();
  if (page.adding || page.token || !page.phone) return mustInstall() ? show("install", () => {}) : showAdd();
  if (page.device === "pending") return page.offer === "off" ? showWaiting() : showOffer();
  if (numbered()) return showNumber();
  if (items.size) return showRequests();
  if (page.another) return showAnother();
  showHome();
  return renew();
}

// A newer app is there: it is taken as soon as the person is not in the middle of something.
let newer = false;

function renew() {
  if (newer && showing("home") && !beingTold()) location.reload();
}

function renderHeader() {
  document.querySelector("header").hidden = showing("number"); // the keyboard leaves no room for it
  const line = document.getElementById("connection");
  line.hidden = !page.phone || Boolean(page.trouble);
  line.className = `connection ${page.connection}`;
  write(line, texts[`connection_${page.connection}`]);
  const many = waiting().length;
  write(document.getElementById("app"), many > 1 ? said.waiting(many) : texts.app);
  document.title = many ? `(${many}) ${texts.card_title}` : texts.app;
}

// The token leaves the address bar at once: no history, no screenshot of it, no sharing by accident.
function readLink() {
  const found = /^#enrol=([\w-]{1,64})$/.exec(location.hash)?.[1];
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (!found) return;
  page.token = found;
  page.proving = null;
  page.adding = true;
}

window.addEventListener("hashchange", () => {
  readLink();
  render();
});

function installWorker() {
  if (!("serviceWorker" in navigator)) return;
  const path = "/sw.js";
  const policy = window.trustedTypes?.createPolicy("radius-push", {
    createScriptURL: (url) => {
      if (url !== path) throw new TypeError("not our worker");
      return url;
    },
  });
  const hadOne = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    newer = hadOne;
    renew();
  });
  // Without a worker the app opens a little slower; nothing else is lost.
  navigator.serviceWorker.register(policy ? policy.createScriptURL(path) : path, { type: "module" }).catch(() => {});
}

document.documentElement.lang = language;
onChange(render);
onHeard(hear);
onNotifyChange(render);
onFingerChange(render);
const tickAll = () => [tick, tickRecent, tickAnother, tickHome].forEach((each) => each());
setInterval(tickAll, TICK_MS);
document.addEventListener("visibilitychange", tickAll);
readLink();
const loaded = await loadPhone();
if (loaded === "gone") page.trouble = "key";
else page.phone = loaded;
if (page.phone) keepListening();
render();
installWorker();
