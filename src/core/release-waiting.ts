import { isOver, type ReleaseState } from "./release-state.ts";

export type WaitingFor = "continue" | "time" | "drain" | "hook" | "health" | "verdict" | "convergence" | null;

/** What the release waits for; null: for nothing that is to come by itself, as it is over, paused or blocked. */
export function waitingFor(state: ReleaseState): WaitingFor {
  if (isOver(state) || state.pause !== null) return null;
  if (state.trouble !== null) return "continue";
  if (state.reachedAt === null) return "convergence";
  return state.blocked === null ? waitOfStage(state) : null;
}

const WORDS: Readonly<Record<Exclude<WaitingFor, null>, string>> = {
  continue: "a person to say continue",
  time: "its time to be over",
  drain: "requests under way to end",
  hook: "its hook",
  health: "health checks",
  verdict: "the verdict",
  convergence: "every gateway to apply the change",
};

export function waitInWords(state: ReleaseState): string {
  if (state.pause !== null) return "a person to say resume";
  const wait = waitingFor(state);
  return wait === null ? "a guard to let it go on" : WORDS[wait];
}

function waitOfStage({ stage }: ReleaseState): WaitingFor {
  switch (stage.kind) {
    case "draining":
      return "drain";
    case "updating":
    case "restoring":
      return stage.work.kind === "person" ? "continue" : "hook";
    case "checking":
      return "health";
    case "testing":
    case "shifting":
    case "holding":
      return stage.wait.until;
    case "merging":
      return "time";
    case "returning":
      if (!stage.turned) return "health";
      return stage.stopping === null ? "drain" : "hook";
    case "done":
    case "rolledBack":
      return null;
  }
}
