import { elapsed, timeLimit } from "./release-enter.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { heldReason } from "./release-rollback.ts";
import { publicPools } from "./release-routing.ts";
import {
  groupInTurn,
  isOver,
  statusOf,
  type Condition,
  type LogEntry,
  type ReleaseGroup,
  type ReleaseState,
  type ReleaseStatus,
} from "./release-state.ts";
import { waitingFor, type WaitingFor } from "./release-waiting.ts";
import { listInWords } from "./release-words.ts";

/** What `GET /apps/{name}/release` answers. Times are in ms since the epoch. */
export interface ReleaseView {
  readonly id: string;
  readonly app: string;
  readonly version: string;
  readonly status: ReleaseStatus;
  readonly phase: ReleasePhase;
  /** The group whose turn it is; null when the release is over. */
  readonly group: string | null;
  /** Percentage of the clients, testers apart, that are sent to the group under test. */
  readonly share: number;
  readonly since: number;
  /** Names this phase in commands, so that one said too late does nothing. */
  readonly step: number;
  readonly waitingFor: WaitingFor;
  readonly reason: string | null;
  /** Milliseconds until this phase ends, or stops to wait for a person, by its time; null: time has no say in it. */
  readonly left: number | null;
  /** The public is back on the old version by a mere change of routing. */
  readonly cheapReturn: boolean;
  readonly groups: readonly GroupView[];
  /** Servers that this release has put into quarantine; people may have put some of them back. */
  readonly quarantined: readonly string[];
  readonly plan: ReleasePlan;
  readonly log: readonly LogEntry[];
}

export type ReleasePhase =
  | "draining"
  | "updating"
  | "checking"
  | "testing"
  | "shifting"
  | "holding"
  | "merging"
  | "restoring"
  | "done"
  | "rolledBack";

export interface GroupView {
  readonly name: string;
  readonly condition: Condition;
  /** Who is sent there: the public or a part of it, testers alone, nobody though it could (`standby`), nobody as it cannot. */
  readonly serves: "public" | "testers" | "standby" | "nobody";
}

/** The release as people and programs see it. */
export function describe(state: ReleaseState, now: number): ReleaseView {
  const { stage, routing } = state;
  return {
    id: state.id,
    app: state.app,
    version: state.version,
    status: statusOf(state),
    phase: stage.kind === "returning" ? "draining" : stage.kind,
    group: groupInTurn(state)?.name ?? null,
    share: routing.share,
    since: state.since,
    step: state.step,
    waitingFor: waitingFor(state),
    reason: reasonOf(state),
    left: timeLeft(state, now),
    cheapReturn: isReturnCheap(state),
    groups: state.groups.map((group) => viewGroup(state, group)),
    quarantined: [...new Set(state.quarantined)],
    plan: state.plan,
    log: state.log,
  };
}

/** One group alone has been touched, and everybody can be sent to the others at once. */
function isReturnCheap(state: ReleaseState): boolean {
  return (
    !isOver(state) &&
    state.direction === "forward" &&
    state.groups.slice(1).every(({ condition }) => condition === "old")
  );
}

/** A person's pause is told together with the trouble that it met. */
function reasonOf(state: ReleaseState): string | null {
  const { pause, trouble, blocked, rollbackReason } = state;
  const reasons = [
    pause === null ? null : `paused by ${pause.by}${pause.reason === null ? "" : `: ${pause.reason}`}`,
    trouble?.reason ?? blocked?.reason ?? reasonOfStage(state),
    rollbackReason === null ? null : `goes back because: ${rollbackReason}`,
  ].filter((reason) => reason !== null);
  return reasons.length === 0 ? null : reasons.join("; ");
}

function reasonOfStage(state: ReleaseState): string | null {
  const { stage } = state;
  switch (stage.kind) {
    case "draining":
      return stage.busy.length === 0 ? null : `under way: ${listInWords(stage.busy)}`;
    case "returning":
      if (!stage.turned) return heldReason(state, stage);
      if (stage.stopping !== null) return `the run ${stage.stopping} has to end first`;
      return stage.busy.length === 0 ? null : `under way: ${listInWords(stage.busy)}`;
    case "checking":
      return stage.failing.length === 0 ? null : `checks fail: ${listInWords(stage.failing)}`;
    case "shifting":
      return stage.evidence;
    case "holding": {
      const others = state.groups.slice(1).map(({ name }) => name);
      return `everybody is on ${state.groups[0]!.name}, ${listInWords(others)} untouched: the last point of cheap return`;
    }
    case "updating":
    case "testing":
    case "merging":
    case "restoring":
    case "done":
    case "rolledBack":
      return null;
  }
}

function timeLeft(state: ReleaseState, now: number): number | null {
  const limit = timeLimit(state);
  if (limit === null || state.trouble !== null) return null;
  if (state.stage.kind === "returning" && !state.stage.turned) return null;
  return Math.max(0, limit - elapsed(state, now));
}

function viewGroup(state: ReleaseState, { name, deploy, condition }: ReleaseGroup): GroupView {
  const { routing, groups } = state;
  if (publicPools(routing, groups).some((pool) => pool.groups.includes(name))) {
    return { name, condition, serves: "public" };
  }
  if (deploy !== routing.deploy) return { name, condition, serves: "standby" };
  return { name, condition, serves: routing.testing ? "testers" : "nobody" };
}
