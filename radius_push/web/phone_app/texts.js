// Which language the person reads: the first of their browser's that the app speaks, or else English.

import de from "./texts/de.js";
import en from "./texts/en.js";
import es from "./texts/es.js";
import tr from "./texts/tr.js";

const LANGUAGES = { en, tr, de, es };

// The locale is the whole one, es-MX: times are written as there.
function chosen() {
  for (const wanted of navigator.languages ?? [navigator.language]) {
    const language = /^[a-z]+/.exec(wanted.toLowerCase())?.[0];
    if (Object.hasOwn(LANGUAGES, language)) return { language, locale: known(wanted) ? wanted : language };
  }
  return { language: "en", locale: "en" };
}

// What a browser calls its language is not always a name that it knows itself.
function known(locale) {
  try {
    return Intl.getCanonicalLocales(locale).length === 1;
  } catch {
    return false;
  }
}

const { language, locale } = chosen();
const texts = LANGUAGES[language];
export { language, texts };

const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(locale);
// As short as can be read: "12s ago", but "2 min ago", as 2m could be metres.
const STYLES = { second: "narrow", minute: "short", hour: "short", day: "short" };
const [ago, lasting] = [
  (unit) => new Intl.RelativeTimeFormat(locale, { style: STYLES[unit], numeric: "auto" }),
  (unit) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: STYLES[unit] }),
].map((format) => Object.fromEntries(Object.keys(STYLES).map((unit) => [unit, format(unit)])));
const LONG = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const inUnit = (past) => LONG.find(([, seconds]) => past >= seconds) ?? LONG.at(-1);

const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

const filled = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
const counted = (forms, count) => filled(forms[plurals.select(count)], { count: numbers.format(count) });

// The texts with something in them.
export const said = {
  waiting: (count) => counted(texts.card_waiting, count),
  arrived: (card) => filled(texts.card_arrived, card),
  unanswered: (count) => counted(texts.card_unanswered, count),
  ago: (past) => {
    const [unit, seconds] = inUnit(past);
    return ago[unit].format(-Math.floor(past / seconds), unit);
  },
  left: (left) => {
    const time = left <= 120 ? lasting.second.format(left) : lasting.minute.format(Math.ceil(left / 60));
    return filled(texts.card_left, { time });
  },
  about: (place) => filled(texts.card_place, { place }),
  which: (card) => filled(texts.result_which, card),
  approved: (ago) => filled(texts.recent_when, { ago }),
  seen: (ago) => filled(texts.push_seen, { ago }),
  open: (address) => filled(texts.another_open, { address }),
  came: (phone) => filled(texts.another_came, { phone }),
  added: (phone) => filled(texts.another_done, { phone }),
  notice: ({ kind, name, at }) => filled(texts[`notice_${kind}`], { name, when: moment.format(at) }),
  asks: (data) => filled(texts.push_asks, data),
};
