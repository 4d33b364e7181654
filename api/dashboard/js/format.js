// Numbers and times as people read them, in the viewer's language and time zone.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
export const NOTHING = "–";

const formats = {
  day: new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }),
  dayTime: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }),
  exact: new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" }),
  clock: new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }),
  relative: new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }),
  compact: new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 }),
  whole: new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 }),
};

/** Return a Date for a Date, an RFC 3339 text or seconds since 1970; null for nothing. */
export function toDate(at) {
  if (at === null || at === undefined || at === "") return null;
  const date = at instanceof Date ? at : new Date(typeof at === "number" ? at * 1000 : at);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Return seconds since 1970, which is what charts take. */
export function toSeconds(at) {
  const date = toDate(at);
  return date === null ? null : date.getTime() / 1000;
}

const shaped = (format) => (at) => {
  const date = toDate(at);
  return date === null ? NOTHING : format.format(date);
};

export const day = shaped(formats.day); // 3 Mar 2026
export const dayTime = shaped(formats.dayTime); // 3 Mar 2026, 14:05
export const exactTime = shaped(formats.exact); // with weekday, seconds and zone: for titles
export const clock = shaped(formats.clock); // 14:05:09

/** Say how far a moment is from now: "in 12 days", "3 hours ago", "now". */
export function relative(at, now = new Date()) {
  const date = toDate(at);
  if (date === null) return NOTHING;
  const seconds = (date.getTime() - now.getTime()) / 1000;
  const size = Math.abs(seconds);
  const say = (unit, length) => formats.relative.format(Math.round(seconds / length), unit);
  if (size < 1) return formats.relative.format(0, "second");
  if (size < MINUTE) return say("second", 1);
  if (size < HOUR) return say("minute", MINUTE);
  if (size < DAY) return say("hour", HOUR);
  if (size < 60 * DAY) return say("day", DAY);
  if (size < 730 * DAY) return say("month", 30.44 * DAY);
  return say("year", 365.25 * DAY);
}

const isNumber = (x) => typeof x === "number" && Number.isFinite(x);

/** A number with so many digits after the point; a dash for none. */
export function number(x, digits = 2) {
  if (!isNumber(x)) return NOTHING;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative" };
  return x.toLocaleString(undefined, options);
}

/** A number with its sign; what is nothing at so many digits has none. */
export function signed(x, digits = 2) {
  if (!isNumber(x)) return NOTHING;
  const sign = Number(x.toFixed(digits)) === 0 ? "" : x < 0 ? "−" : "+";
  return sign + number(Math.abs(x), digits);
}

export const whole = (x) => (isNumber(x) ? formats.whole.format(x) : NOTHING);
export const compact = (x) => (isNumber(x) ? (Math.abs(x) < 10_000 ? whole(x) : formats.compact.format(x)) : NOTHING);
export const percent = (x, digits = 0) => (isNumber(x) ? `${number(x * 100, digits)} %` : NOTHING);
export const usd = (x, digits = 4) => (isNumber(x) ? `$${number(x, x !== 0 && x < 1 ? digits : 2)}` : NOTHING);

/** "1 gem", "3 gems". */
export const counted = (n, one, many = `${one}s`) => `${whole(n)} ${n === 1 ? one : many}`;

/** A length of time: 840 ms, 2.4 s, 3 min, 5 h, 12 d. */
export function duration(seconds) {
  if (!isNumber(seconds)) return NOTHING;
  if (seconds < 1) return `${number(seconds * 1000, 0)} ms`;
  if (seconds < 2 * MINUTE) return `${number(seconds, seconds < 10 ? 1 : 0)} s`;
  if (seconds < 2 * HOUR) return `${number(seconds / MINUTE, 0)} min`;
  if (seconds < 2 * DAY) return `${number(seconds / HOUR, 0)} h`;
  return `${number(seconds / DAY, 0)} d`;
}

export const milliseconds = (ms) => (isNumber(ms) ? duration(ms / 1000) : NOTHING);

/** 812 B, 3.4 kB, 1.2 MB. */
export function bytes(n) {
  if (!isNumber(n)) return NOTHING;
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  return `${number(n / 1000 ** step, step === 0 ? 0 : 1)} ${units[step]}`;
}

/** A phase in [0, 2π) as degrees. */
export const angle = (phase) => (isNumber(phase) ? `${number((phase * 180) / Math.PI, 0)}°` : NOTHING);

/** A text cut to so many characters, at a word where one is near. */
export function short(text, length = 120) {
  const flat = String(text ?? "").replace(/\s+/g, " ").trim();
  if (flat.length <= length) return flat;
  const cut = flat.slice(0, length);
  const space = cut.lastIndexOf(" ");
  return `${cut.slice(0, space > length * 0.6 ? space : length)}…`;
}

/** "below_threshold" as "Below threshold". */
export function words(name) {
  const spaced = String(name ?? "").replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
