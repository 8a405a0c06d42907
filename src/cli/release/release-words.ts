import type { ReleaseJson } from "../../admin/release-schemas.ts";
import { durationInWords } from "../../core/release-words.ts";

const WAITS: Readonly<Record<Exclude<ReleaseJson["waitingFor"], null>, string>> = {
  continue: "a person",
  time: "its time to be over",
  drain: "requests under way to end",
  hook: "its hook",
  health: "health checks",
  verdict: "the verdict",
  convergence: "every gateway to apply it",
};

/** "shifting of group1 (5 %)", "going back, draining of group1", "done". */
export function phaseInWords({ status, phase, group, share }: ReleaseJson): string {
  if (group === null) return phase === "rolledBack" ? "rolled back" : phase;
  const percent = phase === "shifting" ? ` (${share} %)` : "";
  return `${status === "rollingBack" ? "going back, " : ""}${phase} of ${group}${percent}`;
}

/** "waits for its time to be over, 2 min left"; undefined: for nothing, as it is over. */
export function waitInWords({ status, waitingFor, left }: ReleaseJson): string | undefined {
  if (status === "done" || status === "rolledBack") return undefined;
  const time = left === null || waitingFor === "convergence" ? "" : `, ${durationInWords(left)} left`;
  if (waitingFor === null) return status === "paused" ? "paused" : "kept from going on";
  return `waits for ${WAITS[waitingFor]}${time}`;
}

/** One line about a release where there is no terminal. `at` in ms since the epoch. */
export function lineOf(view: ReleaseJson, at: number): string {
  const parts = [phaseInWords(view), waitInWords(view), view.reason ?? undefined];
  const time = new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
  return printable(
    `${time} ${view.app} ${view.version}: ${parts.filter((part) => part !== undefined).join("; ")}`,
  );
}

/** Equal for two views that need not be told apart in lines: time alone has gone by. */
export function changeKey({ id, status, phase, group, share, waitingFor, reason }: ReleaseJson): string {
  return JSON.stringify([id, status, phase, group, share, waitingFor, reason]);
}

/**
 * Reasons quote what hooks and servers wrote. The attack is an escape sequence in it that rewrites what the terminal
 * shows, or worse; a line stays one line, too.
 */
export function printable(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\p{Cc}\p{Cf}]/gu, "");
}
