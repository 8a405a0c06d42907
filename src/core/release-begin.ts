import { outstanding, type ReleaseEffect } from "./release-effects.ts";
import { addToLog } from "./release-enter.ts";
import type { Facts } from "./release-event.ts";
import { firstStage } from "./release-forward.ts";
import { capacityRefusals, guardRefusals } from "./release-guards.ts";
import { planProblems, type ReleasePlan } from "./release-plan.ts";
import { routingAtTurn, type PlacedGroup } from "./release-routing.ts";
import {
  isOver,
  RELEASE_FORMAT,
  stageInWords,
  type Refusal,
  type ReleaseHook,
  type ReleaseHooks,
  type ReleaseState,
} from "./release-state.ts";
import { listInWords } from "./release-words.ts";
import { OWN_SIGNALS } from "./verdict/verdict-settings.ts";

/** All that a release is made of. */
export interface ReleaseInput {
  /** Names the release and its draw of clients. Never used before. */
  readonly id: string;
  readonly app: string;
  readonly version: string;
  readonly by: string;
  /** Names of the app's groups, in its order. */
  readonly appGroups: readonly string[];
  /** The app's switch, as it stands. */
  readonly deploy: number;
  /** All of the app's groups in the order in which they are visited; undefined: the app's order. */
  readonly groups?: readonly string[] | undefined;
  readonly plan: ReleasePlan;
  /** Names of hooks; undefined: a person does the work. */
  readonly update?: string | undefined;
  readonly restore?: string | undefined;
  /** The hooks that there are. */
  readonly hooks: readonly ReleaseHook[];
  /** Names of the signals from elsewhere that there are. */
  readonly signals?: readonly string[] | undefined;
  /** The app's last release. */
  readonly last?: ReleaseState | undefined;
  readonly facts: Facts;
}

export type Beginning =
  | { readonly kind: "begun"; readonly state: ReleaseState; readonly effects: readonly ReleaseEffect[] }
  /** Everything that speaks against it, not only the first. */
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[] };

const NOTHING_BEGUN = "nothing was begun";

/** The first state of a release, its first group about to be drained, and what is to be done for that. */
export function begin(input: ReleaseInput, now: number): Beginning {
  const groups = orderGroups(input);
  const problems = [
    ...appRefusals(input),
    ...groupRefusals(input),
    ...hookRefusals(input),
    ...signalRefusals(input),
    ...planProblems(input.plan).map((problem): Refusal => ({ code: "badPlan", reason: problem })),
  ].map(({ code, reason }): Refusal => ({ code, reason: `${reason}; ${NOTHING_BEGUN}` }));
  const refusals = problems.length > 0 ? problems : forecastRefusals(input, groups, now);
  if (refusals.length > 0) return { kind: "refused", refusals };
  const state = firstState(input, groups, now);
  return { kind: "begun", state, effects: outstanding(state) };
}

function firstState(input: ReleaseInput, placed: readonly PlacedGroup[], now: number): ReleaseState {
  const groups = placed.map(
    (group, index) => ({ ...group, condition: index === 0 ? "out" : "old" }) as const,
  );
  const { stage, routing } = firstStage(groups);
  const state: ReleaseState = {
    format: RELEASE_FORMAT,
    id: input.id,
    app: input.app,
    version: input.version,
    plan: input.plan,
    hooks: hooksOf(input),
    groups,
    direction: "forward",
    stage,
    step: 1,
    since: now,
    reachedAt: null,
    routing,
    change: 1,
    converged: 0,
    runs: 0,
    pause: null,
    trouble: null,
    blocked: null,
    rollbackReason: null,
    quarantined: [],
    slower: null,
    log: [],
  };
  const what = `release of version ${input.version}; ${stageInWords(state)} begins`;
  return { ...state, log: addToLog([], now, input.by, what) };
}

function appRefusals({ last, app, appGroups, deploy }: ReleaseInput): readonly Refusal[] {
  const refusals: Refusal[] = [];
  if (last !== undefined && !isOver(last)) {
    const reason = `release ${last.id} of ${app} is at ${stageInWords(last)}; expected one release at a time`;
    refusals.push({ code: "releaseRunning", reason });
  }
  if (appGroups.length < 2) {
    const reason = `${app} has ${appGroups.length === 1 ? "1 group" : "no group"}; expected at least 2, as one serves while another is updated`;
    refusals.push({ code: "tooFewGroups", reason });
  }
  if (deploy !== 0) {
    const reason = `deploy of ${app} is ${deploy}; expected 0, as somebody is updating a group by hand`;
    refusals.push({ code: "deployNotZero", reason });
  }
  return refusals;
}

/** Groups left out would stay on the old version, and serve together with the new one for ever. */
function groupRefusals({ appGroups, groups }: ReleaseInput): readonly Refusal[] {
  if (groups === undefined) return [];
  const refusals: Refusal[] = [];
  const unknown = groups.filter((name) => !appGroups.includes(name));
  const twice = groups.filter((name, index) => groups.indexOf(name) !== index);
  const missing = appGroups.filter((name) => !groups.includes(name));
  if (unknown.length > 0) {
    const reason = `there is no group ${listInWords(unknown)}; expected ${listInWords(appGroups)}`;
    refusals.push({ code: "unknownGroup", reason });
  }
  if (twice.length > 0) {
    refusals.push({
      code: "groupTwice",
      reason: `${listInWords(twice)} is named twice; expected every group once`,
    });
  }
  if (missing.length > 0) {
    const reason = `${listInWords(missing)} would stay on the old version; expected every group in the order of their turns`;
    refusals.push({ code: "groupMissing", reason });
  }
  return refusals;
}

function hookRefusals(input: ReleaseInput): readonly Refusal[] {
  const known = input.hooks.map(({ name }) => name);
  const expected = known.length === 0 ? "none, as none is configured" : listInWords(known);
  return [input.update, input.restore].flatMap((name) =>
    name === undefined || known.includes(name)
      ? []
      : [{ code: "unknownHook", reason: `there is no hook ${name}; expected ${expected}` }],
  );
}

function signalRefusals({ plan, signals = [] }: ReleaseInput): readonly Refusal[] {
  const known = new Set([...OWN_SIGNALS, ...signals]);
  return plan.verdict.settings.signals.flatMap(({ name }) => {
    if (known.has(name)) return [];
    const expected = listInWords(["errors", "latency", ...signals]);
    return [{ code: "unknownSignal", reason: `there is no signal ${name}; expected ${expected}` }];
  });
}

function hooksOf({ update, restore, hooks }: ReleaseInput): ReleaseHooks {
  const named = (name: string | undefined): ReleaseHook | null =>
    hooks.find((hook) => hook.name === name) ?? null;
  return { update: named(update), restore: named(restore) };
}

function orderGroups({ appGroups, groups = appGroups }: ReleaseInput): readonly PlacedGroup[] {
  return groups.map((name) => ({ name, deploy: appGroups.indexOf(name) + 1 }));
}

/**
 * The guards of the first step, and those of the way ahead that no waiting can satisfy: a first group too small to carry
 * everybody alone is told now, not at a share of 100.
 */
function forecastRefusals(
  { facts, plan: { minCapacity } }: ReleaseInput,
  groups: readonly PlacedGroup[],
  now: number,
): readonly Refusal[] {
  const { routing } = firstStage(groups.map((group) => ({ ...group, condition: "old" })));
  const first = guardRefusals({ routing, groups, minCapacity, stays: NOTHING_BEGUN }, facts, now);
  const ahead = [
    routingAtTurn(groups, 0, { share: 100 }),
    ...groups.slice(1).map((_, index) => routingAtTurn(groups, index + 1, "closed")),
  ];
  const allAlive = withEverybodyAlive(facts);
  const later = ahead.flatMap((routing) =>
    capacityRefusals({ routing, groups, minCapacity, stays: NOTHING_BEGUN }, allAlive),
  );
  return [...new Map([...first, ...later].map((refusal) => [refusal.reason, refusal])).values()];
}

function withEverybodyAlive({ groups }: Facts): Facts {
  const alive = Object.entries(groups).map(([name, { weight, servers }]) => [
    name,
    { weight, liveWeight: weight, servers, live: servers },
  ]);
  return { groups: Object.fromEntries(alive) as Facts["groups"] };
}
