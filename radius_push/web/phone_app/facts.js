// What a card says beside the address: about where it is, and what it has in common with what is known.

import { language, said, texts } from "./texts.js";

export function showFacts(card, facts) {
  put(card, "place", placeOf(facts));
  const same = [];
  if (facts?.not_from_here) same.push(texts.card_not_from_here);
  else if (facts?.same_network_as_this_phone) same.push(texts.card_same_network);
  if (facts?.same_address_as_last_login) same.push(texts.card_same_address);
  put(card, "same", same.join(" "));
}

// "about Vienna, Austria", or what kind of network it is; "" where nothing is known.
export function placeOf(facts) {
  const kind = texts[`card_network_${facts?.network}`];
  if (kind || !facts?.place) return kind ?? "";
  const { city, country, country_code: code } = facts.place;
  const words = [inLanguage(city), country[language] ?? (spelled(code) || inLanguage(country))].filter(Boolean);
  return words.length ? said.about(words.join(", ")) : "";
}

// A name in the language of this page, else in English, else in any.
const inLanguage = (names) => names[language] ?? names.en ?? Object.values(names)[0] ?? "";

function spelled(code) {
  return code && new Intl.DisplayNames([language], { type: "region", fallback: "code" }).of(code);
}

function put(card, name, text) {
  const element = card.querySelector(`[data-name="${name}"]`);
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}
