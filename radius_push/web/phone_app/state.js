// What the page knows: the phone it is, how it stands with the server, and what is asked.

export const page = {
  phone: null,
  token: null, // of a link; opening it spends nothing
  trouble: null, // key, unknown, removed, nokey
  adding: false,
  proving: null, // {invitation, name}: it was sent, so the person's password is asked for, too
  notices: [], // what this phone is told of the person's other phones
  connection: "connecting",
  credential: null, // of the fingerprint or face that counts, as the server says
  guarded: false, // does what this phone says of phones need its fingerprint or face?
  waiting: undefined, // of a new one, whose six digits are not typed yet
  offer: "off", // required, optional: whether a new phone is asked to set one up
  device: "unknown", // pending, restored, active, removed: as the server says
  recent: [], // what was approved in the last minutes
  push: { state: "off", channels: { web_push: "off" }, seen_at: null }, // as the server rings this phone
  mayAdd: false, // may this phone add another one?
  number: null, // {id, give}: the request whose number is asked for, see number.js
  another: null, // the other phone that this one adds: see another.js
  ahead: 0, // server time minus this page's own clock
};
export const items = new Map(); // id -> {card, result, sending, element}: what is asked, and what became of it

export const waiting = () => [...items.values()].filter((item) => !item.result);
export const serverNow = () => performance.now() + page.ahead;

// Whoever changed something calls `changed`; app.js shows then what is true.
let draw = () => {};
export const onChange = (render) => {
  draw = render;
};
export const changed = () => draw();
