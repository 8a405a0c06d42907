import { language } from "../preferences.ts";
import { en } from "./en.ts";
import { zh } from "./zh.ts";

export type TextKey = keyof typeof en;

const TEXTS = { en, zh } as const;

/** The text in the language of the page, `{name}` replaced by `values.name`. Whoever calls it is drawn anew when the language changes. */
export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return TEXTS[language.value][key].replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  );
}
