import { signal, type Signal } from "@preact/signals";

/** Ms since the epoch, told once a second: for ages and times left. */
export const now: Signal<number> = signal(Date.now());

export function startClock(): void {
  setInterval(() => {
    now.value = Date.now();
  }, 1000);
}
