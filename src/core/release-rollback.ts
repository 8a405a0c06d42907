import { beginWork, enter, note, withCondition } from "./release-enter.ts";
import type { Facts } from "./release-event.ts";
import { mergingStage } from "./release-forward.ts";
import { capacityOf, capacityRefusals } from "./release-guards.ts";
import { ALL_SERVE, publicPools, routingWithout } from "./release-routing.ts";
import {
  groupInTurn,
  stageInWords,
  type ReleaseGroup,
  type ReleaseState,
  type Returning,
  type Stage,
} from "./release-state.ts";
import { listInWords } from "./release-words.ts";

/*
 * The way back. Groups that were worked on are restored one after the other, the last one first, each with nobody on it.
 *
 * The public goes to the old version at the first moment at which that can serve, and stays there: while a group is
 * restored it is served by all groups that run the old version, or, as long as there are none (or too few to carry it),
 * by those that run the new one. Never by both, as requests of one client would change between them.
 *
 * No guard refuses a rollback. It is only held where it would send everybody to groups of which no server lives.
 */

/** Turns round. A group that was only taken out of traffic is as it was; one that is being worked on has to be restored. */
export function beginRollback(
  state: ReleaseState,
  facts: Facts,
  now: number,
  by: string,
  reason: string,
): ReleaseState {
  const { stage } = state;
  const groups = state.groups.map((group): ReleaseGroup =>
    group.condition === "out" ? { ...group, condition: "old" } : group,
  );
  const running =
    stage.kind === "updating" && stage.work.kind === "hook" && stage.work.progress === "begun"
      ? stage.work.run
      : null;
  const turned: ReleaseState = {
    ...state,
    groups,
    direction: "back",
    pause: null,
    trouble: null,
    blocked: null,
    rollbackReason: reason,
  };
  const what = `rollback, from ${stageInWords(state)}: ${reason}`;
  return returnNext(note(turned, now, by, what), facts, now, by, running);
}

/** The stage after the present one, on the way back. */
export function stepBack(state: ReleaseState, facts: Facts, now: number, by: string): ReleaseState {
  const { stage } = state;
  switch (stage.kind) {
    case "returning": {
      const { work, runs } = beginWork(state, "restore");
      const worked = work.kind === "person" ? withCondition(state, stage.turn, "updating") : state;
      return enterBack({ ...worked, runs }, { kind: "restoring", turn: stage.turn, work }, now, by);
    }
    case "restoring": {
      const checking: Stage = { kind: "checking", turn: stage.turn, passed: false, failing: [] };
      return enterBack(state, checking, now, by);
    }
    case "checking":
      return returnNext(withCondition(state, stage.turn, "old"), facts, now, by, null);
    case "merging":
      return enterBack(state, { kind: "rolledBack" }, now, by);
    case "draining":
    case "updating":
    case "testing":
    case "shifting":
    case "holding":
    case "done":
    case "rolledBack":
      throw new Error(`no step leads back from ${stage.kind}`);
  }
}

/** Sends the public to the old version, if somebody lives there by now or `anyway`; else the same state. */
export function turnPublic(
  state: ReleaseState,
  facts: Facts,
  now: number,
  by: string,
  anyway: boolean,
): ReleaseState {
  const { stage } = state;
  if (stage.kind !== "returning" || stage.turned) return state;
  if (!anyway && wouldServeNobody(state, stage.turn, facts)) return state;
  return enterReturning(state, stage.turn, stage.stopping, facts, now, by);
}

/** Why the public is still on the new version. */
export function heldReason(state: ReleaseState, { turn }: Returning): string {
  return (
    `no server of any other group lives; the public stays where it is, with ${state.groups[turn]!.name}, until one does ` +
    "or a person says continue"
  );
}

function returnNext(
  state: ReleaseState,
  facts: Facts,
  now: number,
  by: string,
  running: string | null,
): ReleaseState {
  const turn = state.groups.findLastIndex(({ condition }) => condition !== "old");
  if (turn < 0) return rejoin(state, now, by);
  if (!wouldServeNobody(state, turn, facts)) return enterReturning(state, turn, running, facts, now, by);
  const held: Returning = { ...returning(turn, running), turned: false };
  const entered = enter(state, held, state.routing, now);
  return note(entered, now, by, heldReason(entered, held));
}

/** Every group runs the old version: all serve again. One that was restored is slow to start like any other. */
function rejoin(state: ReleaseState, now: number, by: string): ReleaseState {
  const turn = state.groups.indexOf(groupInTurn(state)!);
  const slowStart = state.stage.kind === "checking" ? state.plan.slowStart : 0;
  const entered = enter(state, mergingStage(turn, slowStart), ALL_SERVE, now);
  return note(entered, now, by, `every group runs the old version; ${stageInWords(entered)} begins`);
}

function enterReturning(
  state: ReleaseState,
  turn: number,
  running: string | null,
  facts: Facts,
  now: number,
  by: string,
): ReleaseState {
  const serving = servingWithout(state, turn, facts);
  const routing = routingWithout(state.groups, state.groups[turn]!, serving);
  const entered = enter(state, returning(turn, running), routing, now);
  return note(
    entered,
    now,
    by,
    `the public is sent to ${listInWords(serving)}; ${stageInWords(entered)} begins`,
  );
}

function returning(turn: number, stopping: string | null): Returning {
  return { kind: "returning", turn, turned: true, stopping, idle: false, busy: [] };
}

/** Which groups serve while that one is restored: one version only, and the old one where it can. */
function servingWithout(state: ReleaseState, turn: number, facts: Facts): readonly string[] {
  const old = oldGroups(state);
  const updated = state.groups
    .filter(({ condition }, index) => condition === "new" && index !== turn)
    .map(({ name }) => name);
  if (old.length === 0) return updated;
  if (updated.length === 0 || canCarry(state, turn, old, facts)) return old;
  return capacityOf(old, facts).liveWeight >= capacityOf(updated, facts).liveWeight ? old : updated;
}

function canCarry(state: ReleaseState, turn: number, serving: readonly string[], facts: Facts): boolean {
  const { groups, plan } = state;
  const routing = routingWithout(groups, groups[turn]!, serving);
  return capacityRefusals({ routing, groups, minCapacity: plan.minCapacity, stays: "" }, facts).length === 0;
}

/**
 * The public would be sent from a group of which a server lives to groups of which none does. A group of which nothing is
 * known counts as living: a rollback does not wait for facts.
 */
function wouldServeNobody(state: ReleaseState, turn: number, facts: Facts): boolean {
  const { name } = state.groups[turn]!;
  const serves = publicPools(state.routing, state.groups).some(({ groups }) => groups.includes(name));
  if (!serves || !((facts.groups[name]?.live ?? 0) > 0)) return false;
  return servingWithout(state, turn, facts).every((other) => facts.groups[other]?.live === 0);
}

function oldGroups(state: ReleaseState): readonly string[] {
  return state.groups.filter(({ condition }) => condition === "old").map(({ name }) => name);
}

function enterBack(state: ReleaseState, stage: Stage, now: number, by: string): ReleaseState {
  const entered = enter(state, stage, state.routing, now);
  return note(entered, now, by, `${stageInWords(entered)} begins`);
}
