import { language } from "../preferences.ts";
import { t } from "./translate.ts";

const LOCALES = { en: "en-GB", zh: "zh-CN" } as const;
const kept = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `n${language.value}${JSON.stringify(options)}`;
  const known = kept.get(key) as Intl.NumberFormat | undefined;
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(LOCALES[language.value], options);
  kept.set(key, made);
  return made;
}

function timeFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `t${language.value}${JSON.stringify(options)}`;
  const known = kept.get(key) as Intl.DateTimeFormat | undefined;
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(LOCALES[language.value], options);
  kept.set(key, made);
  return made;
}

/** "1,204", "12.3", "0.4": as many digits as say something. */
export function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return numberFormat({ maximumFractionDigits: digits }).format(value);
}

/** "25 %"; of a hundred, not of one. */
export function percent(value: number): string {
  return numberFormat({ style: "percent", maximumFractionDigits: 2 }).format(value / 100);
}

/** Two digits of what may be very large. */
export function short(value: number): string {
  if (value >= 1e6) return t("number.many");
  return numberFormat({ maximumSignificantDigits: value >= 100 ? 3 : 2 }).format(value);
}

export function milliseconds(value: number): string {
  return value >= 1000 ? `${number(value / 1000)} s` : `${number(value)} ms`;
}

/** "8 s", "2 min 5 s", "1 h 3 min". */
export function duration(value: number): string {
  const seconds = Math.max(0, Math.round(value / 1000));
  if (seconds < 60) return t("time.seconds", { s: seconds });
  if (seconds < 3600) return t("time.minutes", { m: Math.floor(seconds / 60), s: seconds % 60 });
  return t("time.hours", { h: Math.floor(seconds / 3600), m: Math.floor((seconds % 3600) / 60) });
}

/** `at`: ISO 8601, or ms since the epoch. */
export function clockTime(at: string | number): string {
  return timeFormat({ timeStyle: "medium" }).format(new Date(at));
}

export function dateTime(at: string | number): string {
  return timeFormat({ dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));
}
