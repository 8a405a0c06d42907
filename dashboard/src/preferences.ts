import { computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
export type Language = "en" | "zh";

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const prefersStill = matchMedia("(prefers-reduced-motion: reduce)");

const systemIsDark: Signal<boolean> = signal(prefersDark.matches);
prefersDark.addEventListener("change", ({ matches }) => {
  systemIsDark.value = matches;
});

/** Nothing moves for those who asked for that. */
export const isStill: Signal<boolean> = signal(prefersStill.matches);
prefersStill.addEventListener("change", ({ matches }) => {
  isStill.value = matches;
});

export const theme: Signal<Theme> = signal(stored("theme", ["auto", "light", "dark"]) ?? "auto");
export const language: Signal<Language> = signal(stored("language", ["en", "zh"]) ?? preferredLanguage());

export const isDark: ReadonlySignal<boolean> = computed(() =>
  theme.value === "auto" ? systemIsDark.value : theme.value === "dark",
);

/** Has the page look and speak as it is wanted, and keeps the choice in this browser. */
export function followPreferences(): void {
  const { dataset } = document.documentElement;
  effect(() => {
    dataset["theme"] = isDark.value ? "dark" : "light";
    keep("theme", theme.value);
  });
  effect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-Hans" : "en";
    keep("language", language.value);
  });
}

function preferredLanguage(): Language {
  return navigator.languages.find((tag) => /^(?:en|zh)\b/i.test(tag))?.startsWith("zh") === true
    ? "zh"
    : "en";
}

function stored<T extends string>(key: string, values: readonly T[]): T | undefined {
  try {
    return values.find((value) => value === localStorage.getItem(`halftone.${key}`));
  } catch {
    // A browser that keeps nothing has no choice to remember.
    return undefined;
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`halftone.${key}`, value);
  } catch {
    // It holds as long as the page is open.
  }
}
