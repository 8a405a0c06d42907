import { begin, type ReleaseInput } from "./release-begin.ts";
import type { Facts, ReleaseCommand, ReleaseEvent, ReleaseReport } from "./release-event.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { isReady } from "./release-forward.ts";
import { publicPools } from "./release-routing.ts";
import { groupInTurn, isOver, type ReleaseState, type Refusal } from "./release-state.ts";
import { transition, type Transition } from "./release.ts";
import { DEFAULT_VERDICT_PLAN } from "./verdict/verdict-settings.ts";

/* What the tests of releases share: an app, a player who moves a release, and what has to hold in every state. */

export const START = 1_000_000;
export const MINUTE = 60_000;

export const PLAN: ReleasePlan = {
  steps: [
    { kind: "testers", wait: { until: "continue" } },
    { kind: "share", share: 10, wait: { until: "verdict", atMost: 30 * MINUTE } },
    { kind: "share", share: 50, wait: { until: "time", for: 2 * MINUTE } },
    { kind: "share", share: 100, wait: { until: "time", for: MINUTE } },
    { kind: "hold", wait: { until: "continue" } },
  ],
  checks: 3,
  drainTimeout: 30_000,
  slowStart: 20_000,
  minCapacity: 30,
  verdict: DEFAULT_VERDICT_PLAN,
};

export function groupNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `group${index + 1}`);
}

/** Two servers of weight 10 in each of three groups; none lives in those named `dead`. */
export function facts(changes: Partial<Facts> = {}, dead: readonly string[] = []): Facts {
  const groups = groupNames(3).map((name) => {
    const live = dead.includes(name) ? 0 : 2;
    return [name, { weight: 20, liveWeight: live * 10, servers: 2, live }] as const;
  });
  return { groups: Object.fromEntries(groups), ...changes };
}

export const GOOD: Facts = facts();
export const FROZEN: Facts = facts({ freeze: { until: null, reason: "a fair" } });

export function input(changes: Partial<ReleaseInput> = {}): ReleaseInput {
  return {
    id: "r1",
    app: "shop",
    version: "2.0",
    by: "ann",
    appGroups: groupNames(2),
    deploy: 0,
    plan: PLAN,
    hooks: [
      { name: "deploy", idempotent: false },
      { name: "undo", idempotent: false },
      { name: "again", idempotent: true },
    ],
    facts: GOOD,
    ...changes,
  };
}

export function begun(changes: Partial<ReleaseInput> = {}): ReleaseState {
  const beginning = begin(input(changes), START);
  if (beginning.kind === "refused") throw new Error(JSON.stringify(beginning.refusals));
  return beginning.state;
}

type WithoutFacts<T> = T extends unknown ? Omit<T, "facts"> : never;

/** Moves one release, as a controller does: its time, what is known of its servers, and one event after another. */
export interface Player {
  readonly state: ReleaseState;
  readonly now: number;
  /** What the guards are told with every event. */
  facts: Facts;
  happen(event: ReleaseEvent): Transition;
  report(report: WithoutFacts<ReleaseReport>): Transition;
  say(type: ReleaseCommand["type"], more?: Partial<ReleaseCommand>): Transition;
  /** Some time goes by, then a tick. */
  wait(milliseconds: number): Transition;
  /** What the release waits for comes, again and again, until that stage is entered. */
  until(kind: ReleaseState["stage"]["kind"], turn?: number): Player;
}

export function play(changes: Partial<ReleaseInput> = {}): Player {
  let state = begun(changes);
  let now = START;
  const happen = (event: ReleaseEvent): Transition => {
    const result = transition(state, event, now);
    if (result.kind === "next") ({ state } = result);
    return result;
  };
  const player: Player = {
    get state() {
      return state;
    },
    get now() {
      return now;
    },
    facts: GOOD,
    happen,
    report: (report) => happen({ ...report, facts: player.facts }),
    say: (type, more) => happen({ type, by: "bob", facts: player.facts, ...more }),
    wait(milliseconds) {
      now += milliseconds;
      return happen({ type: "tick", facts: player.facts });
    },
    until(kind, turn) {
      for (let rounds = 0; rounds < 200; rounds++) {
        const { stage } = state;
        if (stage.kind === kind && (turn === undefined || ("turn" in stage && stage.turn === turn))) {
          return player;
        }
        const answer = answerTo(state, now, player.facts);
        ({ now } = answer);
        happen(answer.event);
      }
      throw new Error(`never came to ${kind}: ${JSON.stringify(state.stage)}`);
    },
  };
  return player;
}

export function refusalOf(result: Transition): Refusal {
  if (result.kind === "next") throw new Error(`not refused: ${JSON.stringify(result.state.stage)}`);
  return { code: result.code, reason: result.reason };
}

/** The event that a release waits for, and when it comes. */
export function answerTo(
  state: ReleaseState,
  now: number,
  facts: Facts,
): { event: ReleaseEvent; now: number } {
  const { stage, step } = state;
  const say = (type: ReleaseCommand["type"]) => ({ now, event: { type, by: "bob", facts } });
  const report = (event: WithoutFacts<ReleaseReport>) => ({ now, event: { ...event, facts } });
  if (state.pause !== null) return say("resume");
  if (state.trouble !== null) return say("continue");
  if (state.reachedAt === null) return report({ type: "converged", change: state.change });
  const later = (wait: number) => ({
    now: Math.max(now, state.reachedAt! + wait),
    event: { type: "tick" as const, facts },
  });
  // What has come during a pause is not waited for again: the next tick goes on with it.
  if (isReady(state, now)) return later(0);
  switch (stage.kind) {
    case "draining":
      return report({ type: "drain", step, idle: true, busy: [] });
    case "returning":
      if (!stage.turned) return say("continue");
      if (stage.stopping === null) return report({ type: "drain", step, idle: true, busy: [] });
      return report({ type: "hookEnded", run: stage.stopping, outcome: "failed", detail: "stopped" });
    case "updating":
    case "restoring": {
      if (stage.work.kind === "person") return say("continue");
      const { run, progress } = stage.work;
      if (progress === "wanted") return report({ type: "hookBegun", run });
      return progress === "begun"
        ? report({ type: "hookEnded", run, outcome: "done", detail: "0" })
        : later(0);
    }
    case "checking":
      return report({ type: "health", step, servers: [{ id: "10.0.0.1:80", passed: 3 }] });
    case "testing":
    case "shifting":
    case "holding":
      if (stage.wait.until === "continue") return say("continue");
      if (stage.wait.until === "time") return later(stage.wait.for);
      return report({ type: "verdict", step, verdict: "notWorse", reason: "e = 40" });
    case "merging":
      return later(stage.slowStart);
    case "done":
    case "rolledBack":
      return later(0);
  }
}

/** Who is out of service: its servers may be restarted, or have been and were not looked at yet. */
function outOfService(state: ReleaseState): string | undefined {
  const { stage } = state;
  switch (stage.kind) {
    case "draining":
    case "updating":
    case "checking":
    case "restoring":
      return groupInTurn(state)!.name;
    case "returning":
      return stage.turned ? groupInTurn(state)!.name : undefined;
    case "testing":
    case "shifting":
    case "holding":
    case "merging":
    case "done":
    case "rolledBack":
      return undefined;
  }
}

/** Percentage of the public that is sent to groups that run the new version. */
export function publicOnNew(state: ReleaseState): number {
  return publicPools(state.routing, state.groups)
    .filter(({ groups }) => conditionsOf(state, groups).includes("new"))
    .reduce((sum, { load }) => sum + load, 0);
}

function conditionsOf(state: ReleaseState, names: readonly string[]): readonly string[] {
  return names.map((name) => state.groups.find((group) => group.name === name)!.condition);
}

/** What must hold in every state there is; empty: all of it does. */
export function brokenInvariants(state: ReleaseState, now: number, facts: Facts): readonly string[] {
  const broken: string[] = [];
  const pools = publicPools(state.routing, state.groups);
  const out = outOfService(state);
  if (pools.reduce((sum, { load }) => sum + load, 0) !== 100) broken.push("a part of the public is lost");
  for (const { groups } of pools) {
    const conditions = conditionsOf(state, groups);
    if (groups.length === 0) broken.push("a pool of the public is empty");
    if (out !== undefined && groups.includes(out)) broken.push("the public reaches a group out of service");
    if (conditions.some((condition) => condition !== conditions[0])) broken.push("a pool has two versions");
    if (!conditions.every((condition) => condition === "old" || condition === "new")) {
      broken.push("the public reaches a group that is neither old nor new");
    }
  }
  for (const group of state.groups) {
    const unfit = group.condition === "out" || group.condition === "updating";
    if (unfit && group.name !== out) broken.push(`${group.name} is ${group.condition} though not in turn`);
    if (group.deploy !== state.routing.deploy) continue;
    const reached = state.routing.testing || state.routing.share > 0;
    if (reached && group.condition !== "new") broken.push("testers reach a group that is not new");
    if (reached && group.name === out) broken.push("testers reach a group out of service");
  }
  if (state.stage.kind === "done" && state.groups.some(({ condition }) => condition !== "new")) {
    broken.push("done with an old group");
  }
  if (state.stage.kind === "rolledBack" && state.groups.some(({ condition }) => condition !== "old")) {
    broken.push("rolled back with a new group");
  }
  if (isOver(state) && (state.routing.deploy !== 0 || state.routing.standby.length > 0)) {
    broken.push("over, but not everybody serves");
  }
  const rollback = transition(state, { type: "rollback", by: "ann", facts }, now);
  if ((rollback.kind === "refused") !== isOver(state)) broken.push("rollback is refused");
  if (rollback.kind === "next" && rollback.state.direction !== "back")
    broken.push("rollback does not go back");
  return broken;
}
