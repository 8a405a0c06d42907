import { beginWork, elapsed, enter, note, withCondition } from "./release-enter.ts";
import type { Facts } from "./release-event.ts";
import { capacityRefusals, guardRefusals } from "./release-guards.ts";
import { testersWait } from "./release-plan.ts";
import { ALL_SERVE, routingAtTurn, type Openness, type Routing } from "./release-routing.ts";
import { stageInWords, type Merging, type Refusal, type ReleaseState, type Stage } from "./release-state.ts";

/** Where a weight begins to rise, in tenths. */
const FIRST_TENTH = 1;
export const WHOLE_WEIGHT = 10;

/**
 * The next stage of the plan, or the guard that refuses it. Whether the present one is at its end is not asked here: see
 * `isReady`, and the commands.
 */
export function stepForward(
  state: ReleaseState,
  facts: Facts,
  now: number,
  by: string,
): ReleaseState | Refusal {
  const next = nextStage(state);
  const [refusal] = refusalsOf(state, next.routing, facts, now);
  if (refusal !== undefined) return refusal;
  const entered = enter(next.state, next.stage, next.routing, now);
  return note(entered, now, by, `${stageInWords(entered)} begins`);
}

/** What the guards have against touching servers now, everybody staying where they are. */
export function refusalsHere(state: ReleaseState, facts: Facts, now: number): readonly Refusal[] {
  return refusalsOf(state, state.routing, facts, now);
}

/** What the group, with those that it serves with, lacks to carry its part of the public, everybody staying where they are. */
export function capacityHere(state: ReleaseState, facts: Facts, group: string): readonly Refusal[] {
  const { routing, groups, plan } = state;
  const { minCapacity } = plan;
  return capacityRefusals({ routing, groups, minCapacity, group, stays: stays(state) }, facts);
}

/** The first stage of all, of a state that has none yet worth speaking of. */
export function firstStage(groups: ReleaseState["groups"]): { stage: Stage; routing: Routing } {
  return {
    stage: { kind: "draining", turn: 0, idle: false, busy: [] },
    routing: routingAtTurn(groups, 0, "closed"),
  };
}

/** The stage has what it waited for, so that the release may go on by itself. */
export function isReady(state: ReleaseState, now: number): boolean {
  const { stage } = state;
  if (state.reachedAt === null) return false;
  switch (stage.kind) {
    case "draining":
      return stage.idle;
    case "returning":
      return stage.idle && stage.turned && stage.stopping === null;
    case "updating":
    case "restoring":
      return stage.work.kind === "hook" && stage.work.progress === "done";
    case "checking":
      return stage.passed;
    case "testing":
    case "holding":
      return stage.wait.until === "time" && elapsed(state, now) >= stage.wait.for;
    case "shifting":
      if (stage.wait.until === "verdict") return stage.proven;
      return stage.wait.until === "time" && elapsed(state, now) >= stage.wait.for;
    case "merging":
      return stage.tenths === WHOLE_WEIGHT && elapsed(state, now) >= stage.slowStart;
    case "done":
    case "rolledBack":
      return false;
  }
}

/** The weight of the group that merges, one tenth higher if its time has come: never more at once, however late. */
export function riseWeight(state: ReleaseState, now: number): ReleaseState {
  const { stage } = state;
  if (stage.kind !== "merging" || state.reachedAt === null || stage.tenths === WHOLE_WEIGHT) return state;
  const due = Math.floor((elapsed(state, now) * WHOLE_WEIGHT) / stage.slowStart);
  if (due <= stage.tenths) return state;
  return { ...state, stage: { ...stage, tenths: stage.tenths + 1 } };
}

/** A group that needs no slow start has all its weight at once. */
export function mergingStage(turn: number, slowStart: number): Merging {
  return { kind: "merging", turn, slowStart, tenths: slowStart === 0 ? WHOLE_WEIGHT : FIRST_TENTH };
}

export function stays(state: ReleaseState): string {
  return `the release stays at ${stageInWords(state)}`;
}

function refusalsOf(state: ReleaseState, routing: Routing, facts: Facts, now: number): readonly Refusal[] {
  const { groups, plan } = state;
  return guardRefusals({ routing, groups, minCapacity: plan.minCapacity, stays: stays(state) }, facts, now);
}

interface NextStage {
  readonly state: ReleaseState;
  readonly stage: Stage;
  readonly routing: Routing;
}

function nextStage(state: ReleaseState): NextStage {
  const { stage } = state;
  switch (stage.kind) {
    case "draining":
      return toUpdating(state, stage.turn);
    case "updating": {
      const checking: Stage = { kind: "checking", turn: stage.turn, passed: false, failing: [] };
      return { ...at(state, checking, "closed"), state: withCondition(state, stage.turn, "new") };
    }
    case "checking": {
      const wait = testersWait(state.plan);
      if (wait === undefined) return afterTesting(state, stage.turn);
      return at(state, { kind: "testing", turn: stage.turn, wait }, "testers");
    }
    case "testing":
      return afterTesting(state, stage.turn);
    case "shifting":
      return fromPlan(state, stage.planStep + 1);
    case "holding":
    case "merging":
      return nextTurn(state, stage.turn + 1);
    case "returning":
    case "restoring":
    case "done":
    case "rolledBack":
      throw new Error(`no step leads forward from ${stage.kind}`);
  }
}

/** A person may begin as soon as the stage does; a hook has done nothing before it is begun. */
function toUpdating(state: ReleaseState, turn: number): NextStage {
  const { work, runs } = beginWork(state, "update");
  const worked = work.kind === "person" ? withCondition(state, turn, "updating") : state;
  return at({ ...worked, runs }, { kind: "updating", turn, work }, "closed");
}

/** Only the first group takes clients by share: when it has all of them, nobody is left to be moved to the others. */
function afterTesting(state: ReleaseState, turn: number): NextStage {
  if (turn === 0) {
    return fromPlan(
      state,
      state.plan.steps.findIndex(({ kind }) => kind === "share"),
    );
  }
  return at(state, mergingStage(turn, state.plan.slowStart), "merged");
}

function fromPlan(state: ReleaseState, planStep: number): NextStage {
  const step = state.plan.steps[planStep];
  if (step?.kind === "share") {
    const { share, wait } = step;
    const shifting: Stage = {
      kind: "shifting",
      turn: 0,
      planStep,
      share,
      wait,
      proven: false,
      evidence: null,
    };
    return at(state, shifting, { share });
  }
  if (step?.kind === "hold") return at(state, { kind: "holding", turn: 0, wait: step.wait }, { share: 100 });
  return nextTurn(state, 1);
}

function nextTurn(state: ReleaseState, turn: number): NextStage {
  if (turn === state.groups.length) return { state, stage: { kind: "done" }, routing: ALL_SERVE };
  const draining: Stage = { kind: "draining", turn, idle: false, busy: [] };
  return at(withCondition(state, turn, "out"), draining, "closed");
}

function at(state: ReleaseState, stage: Stage & { readonly turn: number }, openness: Openness): NextStage {
  return { state, stage, routing: routingAtTurn(state.groups, stage.turn, openness) };
}
