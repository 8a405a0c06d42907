import { sameRouting, type Routing } from "./release-routing.ts";
import type { Condition, LogEntry, ReleaseState, Stage, Work } from "./release-state.ts";

/** Entries that a log keeps, the newest. */
const KEPT = 200;

export function addToLog(
  log: readonly LogEntry[],
  at: number,
  by: string,
  what: string,
): readonly LogEntry[] {
  return [...log, { at, by, what }].slice(-KEPT);
}

export function note(state: ReleaseState, now: number, by: string, what: string): ReleaseState {
  return { ...state, log: addToLog(state.log, now, by, what) };
}

/** Another stage begins: a new step, its time not counting before every gateway applies its routing. */
export function enter(state: ReleaseState, stage: Stage, routing: Routing, now: number): ReleaseState {
  const change = sameRouting(state.routing, routing) ? state.change : state.change + 1;
  return {
    ...state,
    stage,
    step: state.step + 1,
    since: now,
    reachedAt: change === state.converged ? now : null,
    routing: change === state.change ? state.routing : routing,
    change,
    trouble: null,
    blocked: null,
  };
}

/** The present stage once more, from its begin: what gateways apply is another thing, though the routing is the same. */
export function beginAgain(state: ReleaseState, now: number): ReleaseState {
  const { stage } = state;
  return {
    ...state,
    stage: stage.kind === "shifting" ? { ...stage, proven: false, evidence: null } : stage,
    step: state.step + 1,
    since: now,
    reachedAt: null,
    change: state.change + 1,
    trouble: null,
    blocked: null,
  };
}

export function withCondition(state: ReleaseState, turn: number, condition: Condition): ReleaseState {
  const groups = state.groups.map((group, index) => (index === turn ? { ...group, condition } : group));
  return { ...state, groups };
}

/**
 * Milliseconds that the stage has counted: since every gateway applied its routing, without the time of a pause. 0 when
 * not reached, and when the clock went back.
 */
export function elapsed(state: ReleaseState, now: number): number {
  if (state.reachedAt === null) return 0;
  return Math.max(0, (state.pause?.at ?? now) - state.reachedAt);
}

/** Milliseconds after which something happens by itself in this stage; null: nothing ever does. */
export function timeLimit({ stage, plan }: ReleaseState): number | null {
  switch (stage.kind) {
    case "draining":
    case "returning":
      return plan.drainTimeout;
    case "testing":
    case "shifting":
    case "holding":
      if (stage.wait.until === "time") return stage.wait.for;
      return stage.wait.until === "verdict" ? stage.wait.atMost : null;
    case "merging":
      return stage.slowStart;
    case "updating":
    case "checking":
    case "restoring":
    case "done":
    case "rolledBack":
      return null;
  }
}

/** The work on the group whose turn it is: by a hook if there is one, named so that no two runs are taken for one. */
export function beginWork(state: ReleaseState, hook: "update" | "restore"): { work: Work; runs: number } {
  if (state.hooks[hook] === null) return { work: { kind: "person" }, runs: state.runs };
  const runs = state.runs + 1;
  return { work: { kind: "hook", run: `${state.id}/${hook}/${runs}`, progress: "wanted" }, runs };
}

/** Another run of the hook is wanted, under another name. */
export function runAgain(state: ReleaseState): ReleaseState {
  const { stage } = state;
  if (stage.kind !== "updating" && stage.kind !== "restoring") return state;
  const { work, runs } = beginWork(state, stage.kind === "updating" ? "update" : "restore");
  return { ...state, stage: { ...stage, work }, runs, trouble: null };
}
