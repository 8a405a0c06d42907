import { describe, expect, it } from "vitest";
import { outstanding } from "./release-effects.ts";
import { elapsed, timeLimit } from "./release-enter.ts";
import { isCommand, type Facts, type ReleaseEvent } from "./release-event.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { publicPools } from "./release-routing.ts";
import { groupInTurn, isOver, statusOf, type ReleaseState } from "./release-state.ts";
import { transition } from "./release.ts";
import {
  begun,
  brokenInvariants,
  facts,
  FROZEN,
  GOOD,
  groupNames,
  MINUTE,
  PLAN,
  publicOnNew,
  START,
} from "./release.fixture.ts";

/*
 * Every state that a short release can come to, by every event in every order: on time or late, current or stale, with all
 * servers alive, with those of one group dead, and frozen. Two states are the same when nothing but names, counters
 * and times within a step tell them apart.
 */

interface Visit {
  readonly state: ReleaseState;
  readonly now: number;
}

interface Move {
  readonly before: Visit;
  readonly event: ReleaseEvent;
  readonly after: Visit;
}

/** Every time of the plan is a multiple of the first; nothing in it lasts as long as the second. */
const TICK = 10_000;
const LONG = 60 * MINUTE;

const SHORT_PLAN: ReleasePlan = {
  ...PLAN,
  steps: [
    { kind: "testers", wait: { until: "continue" } },
    { kind: "share", share: 10, wait: { until: "verdict", atMost: 3 * TICK } },
    { kind: "share", share: 40, wait: { until: "continue" } },
    { kind: "share", share: 100, wait: { until: "time", for: 3 * TICK } },
    { kind: "hold", wait: { until: "continue" } },
  ],
};
const BARE_PLAN: ReleasePlan = {
  ...PLAN,
  slowStart: 0,
  steps: [{ kind: "share", share: 100, wait: { until: "continue" } }],
};

interface Case {
  readonly name: string;
  readonly first: ReleaseState;
  readonly atLeast: number;
}

const CASES: readonly Case[] = [
  {
    name: "2 groups updated by hooks",
    first: begun({ plan: SHORT_PLAN, update: "deploy", restore: "undo" }),
    atLeast: 550,
  },
  {
    name: "2 groups updated by hooks that may be run again",
    first: begun({ plan: SHORT_PLAN, update: "again", restore: "again" }),
    atLeast: 535,
  },
  { name: "2 groups updated by a person", first: begun({ plan: SHORT_PLAN }), atLeast: 415 },
  { name: "2 groups, the second first, by a bare plan", first: bare(), atLeast: 370 },
  {
    name: "3 groups updated by hooks",
    first: begun({ plan: SHORT_PLAN, appGroups: groupNames(3), update: "deploy", restore: "undo" }),
    atLeast: 800,
  },
  {
    name: "3 groups updated by a person and restored by a hook",
    first: begun({ plan: SHORT_PLAN, appGroups: groupNames(3), restore: "undo" }),
    atLeast: 580,
  },
];

function bare(): ReleaseState {
  return begun({ plan: BARE_PLAN, groups: ["group2", "group1"], update: "deploy" });
}

for (const { name, first, atLeast } of CASES) {
  const { visits, moves, broken } = explore(first);
  describe(`the ${visits.length} states of ${name}, and ${moves} moves between them`, () => {
    it("are all that there are", () => {
      expect(visits.length).toBeGreaterThan(atLeast);
    });

    it("serve the public by groups of one version, with one group out of service at most, and take a rollback", () => {
      expect(broken.states).toEqual([]);
    });

    it("are left only for a reason, never backwards, and not while paused or frozen", () => {
      expect(broken.moves).toEqual([]);
    });

    it("lead to done, and to rolled back", () => {
      expect(broken.ends).toEqual([]);
    });
  });
}

interface Explored {
  readonly visits: readonly Visit[];
  readonly moves: number;
  readonly broken: { states: readonly string[]; moves: readonly string[]; ends: readonly string[] };
}

function explore(first: ReleaseState): Explored {
  const start: Visit = { state: first, now: START };
  const visits = new Map([[keyOf(start), start]]);
  const cameFrom = new Map<string, Set<string>>();
  const states = new Set<string>();
  const moves = new Set<string>();
  let count = 0;
  for (const [key, before] of visits) {
    for (const problem of brokenInvariants(before.state, before.now, GOOD)) {
      states.add(`${problem}: ${key}`);
    }
    expect(JSON.parse(JSON.stringify(before.state)), "plain JSON").toStrictEqual(before.state);
    for (const { event, now } of eventsAt(before)) {
      const result = transition(before.state, event, now);
      const after: Visit = { state: result.kind === "next" ? result.state : before.state, now };
      count++;
      if (after.state === before.state && after.now === before.now) continue;
      for (const problem of brokenByMove({ before, event, after })) {
        moves.add(`${problem}: ${event.type} at ${key}`);
      }
      const next = keyOf(after);
      // Without its log a state is the same to the machine, and much less to copy.
      if (!visits.has(next)) visits.set(next, { ...after, state: { ...after.state, log: [] } });
      cameFrom.set(next, (cameFrom.get(next) ?? new Set()).add(key));
    }
  }
  const ends = [...notLeadingTo("done", visits, cameFrom), ...notLeadingTo("rolledBack", visits, cameFrom)];
  return {
    visits: [...visits.values()],
    moves: count,
    broken: { states: [...states], moves: [...moves], ends },
  };
}

/** States from which that end cannot be reached, of those from which it should be. */
function notLeadingTo(
  end: "done" | "rolledBack",
  visits: ReadonlyMap<string, Visit>,
  cameFrom: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  const leading = new Set(
    [...visits].filter(([, { state }]) => state.stage.kind === end).map(([key]) => key),
  );
  for (const key of leading) for (const before of cameFrom.get(key) ?? []) leading.add(before);
  return [...visits]
    .filter(([key, { state }]) => !leading.has(key) && shouldReach(end, state))
    .map(([key]) => `no way to ${end}: ${key}`);
}

function shouldReach(end: "done" | "rolledBack", state: ReleaseState): boolean {
  return end === "done" ? state.direction === "forward" : state.stage.kind !== "done";
}

function eventsAt({ state, now }: Visit): readonly { event: ReleaseEvent; now: number }[] {
  const known: readonly Facts[] = [
    GOOD,
    FROZEN,
    ...state.groups.map(({ name }) => facts({}, [name])),
    facts({}, groupNames(3)),
  ];
  const atOnce = known.flatMap((facts) => eventsWith(state, facts)).map((event) => ({ event, now }));
  const later = [TICK, LONG].flatMap((time) =>
    known.map((facts) => ({ event: { type: "tick" as const, facts }, now: now + time })),
  );
  return [...atOnce, ...later];
}

function eventsWith(state: ReleaseState, facts: Facts): readonly ReleaseEvent[] {
  const { step, change } = state;
  const run = runOf(state) ?? "r1/update/0";
  const server = { id: "10.0.0.1:80", passed: 3 };
  return [
    { type: "tick", facts },
    { type: "converged", change, facts },
    { type: "converged", change: change - 1, facts },
    { type: "drain", step, idle: true, busy: [], facts },
    { type: "drain", step, idle: false, busy: ["10.0.0.1:80"], facts },
    { type: "drain", step: step - 1, idle: true, busy: [], facts },
    { type: "hookBegun", run, facts },
    { type: "hookBegun", run: `${run}x`, facts },
    ...(["done", "failed", "unknown"] as const).flatMap((outcome): readonly ReleaseEvent[] => [
      { type: "hookEnded", run, outcome, detail: "", facts },
      { type: "hookEnded", run: `${run}x`, outcome, detail: "", facts },
    ]),
    { type: "health", step, servers: [server], facts },
    { type: "health", step, servers: [server, { ...server, passed: 0, error: "refused" }], facts },
    { type: "health", step, servers: [], facts },
    { type: "health", step: step - 1, servers: [server], facts },
    ...(["worse", "notWorse", "none"] as const).flatMap((verdict): readonly ReleaseEvent[] => [
      { type: "verdict", step, verdict, reason: verdict, facts },
      { type: "verdict", step: step - 1, verdict, reason: verdict, facts },
    ]),
    { type: "badServer", step, server: "10.0.0.1:80", reason: "broken", facts },
    { type: "badServer", step: step - 1, server: "10.0.0.1:80", reason: "broken", facts },
    { type: "slower", slower: [1, 2, 3], facts },
    ...(["continue", "retry", "pause", "resume", "rollback"] as const).flatMap(
      (type): readonly ReleaseEvent[] => [
        { type, by: "ann", facts },
        { type, by: "ann", step: step - 1, facts },
      ],
    ),
  ];
}

function runOf({ stage }: ReleaseState): string | undefined {
  if (stage.kind === "returning") return stage.stopping ?? undefined;
  if (stage.kind !== "updating" && stage.kind !== "restoring") return undefined;
  return stage.work.kind === "hook" ? stage.work.run : undefined;
}

/** Two visits with the same key have the same future. */
function keyOf({ state, now }: Visit): string {
  const counted = Math.floor(Math.min(elapsed(state, now), timeLimit(state) ?? 0) / TICK);
  return JSON.stringify([
    state.direction,
    { ...state.stage, ...withoutNames(state) },
    state.groups.map(({ condition }) => condition),
    state.routing,
    state.reachedAt !== null,
    counted,
    state.pause !== null,
    state.trouble?.code,
    state.blocked?.code,
  ]);
}

function withoutNames({ stage }: ReleaseState): object {
  if (stage.kind === "returning") return { stopping: stage.stopping !== null };
  if (stage.kind !== "updating" && stage.kind !== "restoring") return {};
  return { work: stage.work.kind === "hook" ? stage.work.progress : "person" };
}

function brokenByMove(move: Move): readonly string[] {
  const { before, event, after } = move;
  const moved = after.state.step !== before.state.step;
  const forward = after.state.direction === "forward" && before.state.direction === "forward";
  const broken: string[] = [];
  if (forward && publicOnNew(after.state) < publicOnNew(before.state)) {
    broken.push("clients go back to the old version");
  }
  if (isOver(before.state) && after.state !== before.state) broken.push("it goes on after its end");
  if (event.type === "badServer") broken.push(...brokenByQuarantine(move));
  if (event.type === "slower" && keyOf(after) !== keyOf(before)) broken.push("what is slow changes more");
  if (
    forward &&
    event.type !== "badServer" &&
    event.facts === FROZEN &&
    progressOf(after.state) !== progressOf(before.state)
  ) {
    if (event.type !== "hookEnded") broken.push("a step in a freeze");
  }
  if (
    forward &&
    event.type !== "badServer" &&
    before.state.pause !== null &&
    progressOf(after.state) !== progressOf(before.state)
  ) {
    if (event.type !== "hookEnded") broken.push("a step in a pause");
  }
  if (!moved && after.state.routing !== before.state.routing) broken.push("another routing in the same step");
  if (moved && statusOf(before.state) === "paused" && !mayEndPause(move)) broken.push("it goes on paused");
  if (moved && !hasReason(move)) broken.push("it goes on without what it waited for");
  if (isStale(before.state, event) && after.state !== before.state) broken.push("a stale event is taken");
  if (moved && leadsToTheDead(move)) broken.push("the public is sent to the dead");
  if (after.state !== before.state && JSON.stringify(after.state) === JSON.stringify(before.state)) {
    broken.push("another object that says the same would be stored");
  }
  if (new Set(outstanding(after.state).map(({ kind }) => kind)).size !== outstanding(after.state).length) {
    broken.push("two outstanding effects of one kind");
  }
  return broken;
}

/** What a freeze or a pause has to leave as it is. */
function progressOf({ step, stage }: ReleaseState): string {
  const work = stage.kind === "updating" && stage.work.kind === "hook" ? stage.work.progress : "";
  return `${step} ${work} ${stage.kind === "merging" ? stage.tenths : ""}`;
}

/**
 * A server that is broken is taken out where it serves clients, and the same step begins again; or, where the rest could not
 * do without it, the release goes back. Neither is a step forward, so that no freeze, pause or trouble is in the way.
 */
function brokenByQuarantine({ before, event, after }: Move): readonly string[] {
  const { state } = before;
  if (event.type !== "badServer" || after.state === state) return [];
  const { stage, routing } = after.state;
  const { name } = groupInTurn(state)!;
  const broken: string[] = [];
  if (!["shifting", "holding", "merging"].includes(state.stage.kind)) broken.push("nobody is judged there");
  if (state.direction === "back" || state.reachedAt === null)
    broken.push("nothing is judged yet, or any more");
  if (after.state.direction === "back") {
    if (event.facts.groups[name]!.live > 0) broken.push("it goes back though others of its group serve");
    if (after.state.quarantined !== state.quarantined)
      broken.push("a server is taken out, and it goes back all the same");
    return broken;
  }
  const again = { ...state.stage, ...("proven" in state.stage && { proven: false, evidence: null }) };
  if (JSON.stringify(stage) !== JSON.stringify(again)) broken.push("another stage");
  if (routing !== state.routing || after.state.pause !== state.pause) broken.push("more is changed");
  if (after.state.change === state.change || after.state.reachedAt !== null)
    broken.push("it is not waited for");
  if (after.state.quarantined.at(-1) !== event.server) broken.push("nobody is taken out");
  if (event.facts.groups[name]!.live === 0) broken.push("the group has nobody left");
  return broken;
}

function turnsBack({ before, event }: Move): boolean {
  return (
    before.state.direction === "forward" &&
    (event.type === "rollback" ||
      event.type === "badServer" ||
      (event.type === "verdict" && event.verdict === "worse"))
  );
}

function mayEndPause(move: Move): boolean {
  if (turnsBack(move)) return true;
  return move.event.type === "continue" && move.before.state.pause === null;
}

/** An own account of what each stage may be left for, written without a look at the machine's. */
function hasReason(move: Move): boolean {
  const { before, event, after } = move;
  if (turnsBack(move)) return true;
  const { stage, trouble, reachedAt } = before.state;
  const said = event.type === "continue";
  if (trouble !== null) return said;
  if (stage.kind === "returning" && !stage.turned) {
    const lives = before.state.groups.map(({ name }) => event.facts.groups[name]!.live > 0);
    return said || !lives[stage.turn] || lives.some((alive, turn) => alive && turn !== stage.turn);
  }
  if (reachedAt === null && event.type !== "converged") return false;
  const waited = after.now - (reachedAt ?? after.now);
  switch (stage.kind) {
    case "draining":
      return stage.idle || (event.type === "drain" && event.idle);
    case "returning": {
      const idle = stage.idle || (event.type === "drain" && event.idle);
      return idle && (stage.stopping === null || event.type === "hookEnded");
    }
    case "updating":
    case "restoring":
      if (stage.work.kind === "person") return said;
      return stage.work.progress === "done" || (event.type === "hookEnded" && event.outcome === "done");
    case "checking":
      if (said) return before.state.direction === "back";
      return stage.passed || (event.type === "health" && event.servers.length === 1);
    case "testing":
    case "shifting":
    case "holding":
      if (stage.wait.until === "continue") return said;
      if (stage.wait.until === "time") return waited >= stage.wait.for;
      return (
        (stage.kind === "shifting" && stage.proven) ||
        (event.type === "verdict" && event.verdict === "notWorse")
      );
    case "merging":
      return stage.tenths === 10 && waited >= stage.slowStart;
    case "done":
    case "rolledBack":
      return false;
  }
}

function isStale(state: ReleaseState, event: ReleaseEvent): boolean {
  if ("change" in event) return event.change !== state.change;
  if ("run" in event) return event.run !== runOf(state);
  if (isCommand(event) && event.type === "rollback") return false;
  return "step" in event && event.step !== undefined && event.step !== state.step;
}

/** Somebody lives where the public was, and nobody where some of it comes to be. A person may insist. */
function leadsToTheDead({ before, event, after }: Move): boolean {
  const dead = (state: ReleaseState): boolean =>
    publicPools(state.routing, state.groups).some(({ groups }) =>
      groups.every((name) => event.facts.groups[name]!.live === 0),
    );
  const insisted = before.state.direction === "back" && event.type === "continue";
  const stays = event.type === "badServer" && after.state.routing === before.state.routing;
  if (insisted || stays) return false;
  return after.state.direction === "forward" ? dead(after.state) : !dead(before.state) && dead(after.state);
}
