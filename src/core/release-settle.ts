import { elapsed, note, timeLimit } from "./release-enter.ts";
import type { Facts } from "./release-event.ts";
import { isReady, refusalsHere, riseWeight, stays, stepForward } from "./release-forward.ts";
import { freezeRefusals } from "./release-guards.ts";
import { stepBack, turnPublic } from "./release-rollback.ts";
import { groupInTurn, type Refusal, type ReleaseState, type Trouble } from "./release-state.ts";
import { durationInWords, listInWords } from "./release-words.ts";

/**
 * What follows by itself from what is known now: at most one step. The same state when nothing does, so that a tick that
 * changes nothing is not stored.
 */
export function settle(state: ReleaseState, facts: Facts, now: number, by: string): ReleaseState {
  if (state.trouble !== null) return state;
  return state.direction === "back"
    ? settleBack(state, facts, now, by)
    : settleForward(state, facts, now, by);
}

/** A person has to decide how it goes on. */
export function withTrouble(
  state: ReleaseState,
  code: Trouble["code"],
  reason: string,
  now: number,
  by: string,
): ReleaseState {
  return note({ ...state, trouble: { code, reason, at: now } }, now, by, reason);
}

export function isRefusal(value: ReleaseState | Refusal): value is Refusal {
  return "code" in value;
}

function settleForward(state: ReleaseState, facts: Facts, now: number, by: string): ReleaseState {
  if (state.pause !== null) return state;
  const [freeze] = freezeRefusals(facts.freeze, stays(state), now);
  const risen = freeze === undefined ? riseWeight(state, now) : state;
  if (risen !== state) return risen;
  if (!isReady(state, now)) {
    const [refusal] = isHookWanted(state) ? refusalsHere(state, facts, now) : [];
    if (refusal !== undefined) return blocked(state, refusal, now, by);
    return overdue(state, now, by) ?? unblocked(state);
  }
  const next = stepForward(state, facts, now, by);
  return isRefusal(next) ? blocked(state, next, now, by) : next;
}

function settleBack(state: ReleaseState, facts: Facts, now: number, by: string): ReleaseState {
  const turned = turnPublic(state, facts, now, by, false);
  if (turned !== state) return turned;
  const risen = riseWeight(state, now);
  if (risen !== state) return risen;
  if (isReady(state, now)) return stepBack(state, facts, now, by);
  return overdue(state, now, by) ?? state;
}

/** A guard would refuse to begin the hook: said before anybody asks. */
function isHookWanted({ stage }: ReleaseState): boolean {
  return stage.kind === "updating" && stage.work.kind === "hook" && stage.work.progress === "wanted";
}

/** What to tell a person when a group was not idle in time. */
export function drainReason(state: ReleaseState, idle: boolean, busy: readonly string[]): string {
  const { name } = groupInTurn(state)!;
  const limit = durationInWords(state.plan.drainTimeout);
  if (idle) return `${name} became idle, but only after its ${limit}; continue goes on`;
  const where = busy.length === 0 ? "nobody says where" : listInWords(busy);
  return (
    `after ${limit} requests are still under way on ${name}: ${where}; ` +
    "continue goes on all the same, and the work on the group may cut them off"
  );
}

/** What should have come by now and has not. Undefined: there is still time. */
function overdue(state: ReleaseState, now: number, by: string): ReleaseState | undefined {
  const { stage } = state;
  const limit = timeLimit(state);
  if (state.reachedAt === null || limit === null || elapsed(state, now) < limit) return undefined;
  if ((stage.kind === "draining" || (stage.kind === "returning" && stage.turned)) && !stage.idle) {
    return withTrouble(state, "drainTimedOut", drainReason(state, false, stage.busy), now, by);
  }
  if (stage.kind === "shifting" && stage.wait.until === "verdict") {
    const reason =
      `no proof within ${durationInWords(limit)} that the new version is not worse` +
      `${stage.evidence === null ? "" : ` (${stage.evidence})`}; the share stays at ${stage.share} %, ` +
      "continue goes on without proof, rollback returns";
    return withTrouble(state, "noVerdict", reason, now, by);
  }
  return undefined;
}

/** The log tells when another guard refuses, not each time that its figures change. */
function blocked(state: ReleaseState, refusal: Refusal, now: number, by: string): ReleaseState {
  const before = state.blocked;
  if (before?.code === refusal.code && before.reason === refusal.reason) return state;
  const told = before?.code === refusal.code ? state : note(state, now, by, `no step: ${refusal.reason}`);
  return { ...told, blocked: refusal };
}

function unblocked(state: ReleaseState): ReleaseState {
  return state.blocked === null ? state : { ...state, blocked: null };
}
