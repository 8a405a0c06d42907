import type { PlainWait, ReleasePlan, Wait } from "./release-plan.ts";
import type { PlacedGroup, Routing } from "./release-routing.ts";

/** Number of the form in which states are stored; another one is not read. */
export const RELEASE_FORMAT = 1;

/**
 * All that is known of one release: plain JSON, stored before anything of it takes effect, and enough to go on from
 * after a crash at any instant. Times are in ms since the epoch.
 *
 * - `step` names the present stage: it grows with every stage that is entered. Reports and commands say which step they
 *   answer, so that late and repeated ones do nothing.
 * - `change` names the routing: it grows with every other routing. A stage is reached when all gateways applied it.
 */
export interface ReleaseState {
  readonly format: typeof RELEASE_FORMAT;
  readonly id: string;
  readonly app: string;
  readonly version: string;
  readonly plan: ReleasePlan;
  readonly hooks: ReleaseHooks;
  /** In the order in which they are visited. */
  readonly groups: readonly ReleaseGroup[];
  readonly direction: "forward" | "back";
  readonly stage: Stage;
  readonly step: number;
  /** When the stage was entered. */
  readonly since: number;
  /** When every gateway had applied its routing: from here its time counts. Null: not yet. */
  readonly reachedAt: number | null;
  readonly routing: Routing;
  readonly change: number;
  /** The last change that every gateway applied. */
  readonly converged: number;
  /** Runs of hooks so far, for their names. */
  readonly runs: number;
  /** A person stopped it. */
  readonly pause: Pause | null;
  /** Something went wrong and a person has to decide. */
  readonly trouble: Trouble | null;
  /** What the stage waited for has come, but a guard keeps it from going on. */
  readonly blocked: Refusal | null;
  /** Why it goes back. */
  readonly rollbackReason: string | null;
  /** Servers that were found broken, and put into quarantine instead of going back: in that order, one put back perhaps twice. */
  readonly quarantined: readonly string[];
  /** Latencies in ms above which an answer is slow, of p50, p90 and p99 of the old version; null: not settled yet. */
  readonly slower: readonly number[] | null;
  /** The newest last; bounded. */
  readonly log: readonly LogEntry[];
}

export interface ReleaseGroup extends PlacedGroup {
  readonly condition: Condition;
}

/**
 * What a group runs. `old`: untouched or restored. `out`: still the old version, taken out of traffic. `updating`: somebody
 * or something works on it, so nobody can tell. `new`: updated.
 */
export type Condition = "old" | "out" | "updating" | "new";

/** Null: a person does the work and says `continue`. */
export interface ReleaseHooks {
  readonly update: ReleaseHook | null;
  readonly restore: ReleaseHook | null;
}

export interface ReleaseHook {
  /** As in `halftone.yaml`. */
  readonly name: string;
  /** May be run again when nobody knows how a run ended. */
  readonly idempotent: boolean;
}

/** `turn` is the index in `groups` of the group whose turn it is. */
export type Stage =
  /** Nobody is sent to the group any more; requests under way end. */
  | {
      readonly kind: "draining";
      readonly turn: number;
      readonly idle: boolean;
      readonly busy: readonly string[];
    }
  | { readonly kind: "updating"; readonly turn: number; readonly work: Work }
  | Checking
  | { readonly kind: "testing"; readonly turn: number; readonly wait: PlainWait }
  | Shifting
  | { readonly kind: "holding"; readonly turn: number; readonly wait: PlainWait }
  | Merging
  | Returning
  | { readonly kind: "restoring"; readonly turn: number; readonly work: Work }
  | { readonly kind: "done" }
  | { readonly kind: "rolledBack" };

/** Every server has to pass its checks in a row. */
export interface Checking {
  readonly kind: "checking";
  readonly turn: number;
  readonly passed: boolean;
  /** Servers that did not pass, with their last error. */
  readonly failing: readonly string[];
}

export interface Shifting {
  readonly kind: "shifting";
  readonly turn: number;
  /** Index in the plan's steps. */
  readonly planStep: number;
  readonly share: number;
  readonly wait: Wait;
  /** The verdict "not worse" has come. */
  readonly proven: boolean;
  /** What the last verdict said. */
  readonly evidence: string | null;
}

/** The group serves with others; its weight rises, so that cold caches hurt nobody. */
export interface Merging {
  readonly kind: "merging";
  readonly turn: number;
  /** Its weight in tenths, 1 to 10. */
  readonly tenths: number;
  /** Milliseconds until the weight is whole. */
  readonly slowStart: number;
}

/** The draining of a rollback. */
export interface Returning {
  readonly kind: "returning";
  readonly turn: number;
  /** False: the public stays where it is, as nobody lives in the groups that it should return to. */
  readonly turned: boolean;
  /** The run of an update hook that has to end before anything is restored. */
  readonly stopping: string | null;
  readonly idle: boolean;
  readonly busy: readonly string[];
}

/**
 * Who works on a group. A run of a hook is `wanted` until the state says that it is begun, and only then it is run: of
 * one that is `wanted` it is certain that nothing of it was done.
 */
export type Work =
  | { readonly kind: "person" }
  | {
      readonly kind: "hook";
      readonly run: string;
      readonly progress: "wanted" | "begun" | "done" | "failed" | "unknown";
    };

export interface Pause {
  readonly by: string;
  readonly reason: string | null;
  readonly at: number;
}

export interface Trouble {
  readonly code: "drainTimedOut" | "hookFailed" | "hookUnknown" | "noVerdict";
  readonly reason: string;
  readonly at: number;
}

export interface LogEntry {
  readonly at: number;
  readonly by: string;
  readonly what: string;
}

/** Why something is not done: a code for programs, plain words for people. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly reason: string;
}

export type RefusalCode =
  /** Of a beginning. */
  | "releaseRunning"
  | "tooFewGroups"
  | "deployNotZero"
  | "unknownGroup"
  | "groupTwice"
  | "groupMissing"
  | "unknownHook"
  | "unknownSignal"
  | "badPlan"
  /** Of every forward step. */
  | "frozen"
  | "noFacts"
  | "nobodyLives"
  | "minCapacity"
  | "peak"
  /** Of a command. */
  | "over"
  | "stale"
  | "paused"
  | "alreadyPaused"
  | "notPaused"
  | "rollingBack"
  | "notReached"
  | "nothingToContinue"
  | "nothingToRetry"
  | "hookNotWanted";

export type ReleaseStatus = "running" | "paused" | "done" | "rollingBack" | "rolledBack";

export function statusOf(state: ReleaseState): ReleaseStatus {
  if (state.stage.kind === "done" || state.stage.kind === "rolledBack") return state.stage.kind;
  if (state.direction === "back") return "rollingBack";
  return state.pause !== null || state.trouble !== null ? "paused" : "running";
}

/** Done or rolled back: nothing of it changes any more. */
export function isOver(state: ReleaseState): boolean {
  return state.stage.kind === "done" || state.stage.kind === "rolledBack";
}

/** The group whose turn it is; undefined when the release is over. */
export function groupInTurn(state: ReleaseState): ReleaseGroup | undefined {
  return "turn" in state.stage ? state.groups[state.stage.turn] : undefined;
}

/** "checking of group1", "shifting of group1 (5 %)". */
export function stageInWords(state: ReleaseState): string {
  const { stage } = state;
  if (stage.kind === "done" || stage.kind === "rolledBack")
    return stage.kind === "done" ? "done" : "rolled back";
  const phase = stage.kind === "returning" ? "draining" : stage.kind;
  const share = stage.kind === "shifting" ? ` (${stage.share} %)` : "";
  return `${phase} of ${groupInTurn(state)!.name}${share}`;
}
