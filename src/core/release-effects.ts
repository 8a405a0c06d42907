import type { Routing } from "./release-routing.ts";
import { groupInTurn, isOver, type ReleaseState, type Stage, type Work } from "./release-state.ts";
import { WHOLE_WEIGHT } from "./release-forward.ts";

/**
 * Something to be carried out, as data. Each may be carried out twice without harm, but for `hook`, which asks for leave
 * by the event `hookBegun` first. What is not outstanding any more is to be left off.
 */
export type ReleaseEffect =
  /** Put the routing in force at every gateway. Answered by `converged`. */
  | { readonly kind: "route"; readonly change: number; readonly routing: Routing }
  | { readonly kind: "converge"; readonly change: number }
  /** Watch what is in flight on the group. Answered by `drain`, each time that it changes. */
  | { readonly kind: "drain"; readonly step: number; readonly group: string; readonly deadline: number }
  /**
   * Not `begun`: report `hookBegun`, store the state, then run it. `begun`: it runs; a controller that does not know of
   * it reports that it ended `unknown`. Answered by `hookEnded`.
   */
  | {
      readonly kind: "hook";
      readonly hook: "update" | "restore";
      readonly name: string;
      readonly group: string;
      readonly run: string;
      readonly begun: boolean;
    }
  /** End a run that a rollback met under way, and answer by `hookEnded`. */
  | { readonly kind: "stopHook"; readonly group: string; readonly run: string }
  /** Check every server of the group until all have passed `times` in a row. Answered by `health`. */
  | { readonly kind: "health"; readonly step: number; readonly group: string; readonly times: number }
  /** Judge the group against those serving at the same time. Answered by `verdict`. */
  | { readonly kind: "verdict"; readonly step: number; readonly group: string; readonly share: number }
  /**
   * The group's servers have that part of their weight, 0 to 1, from the moment at which its routing is in force: both go
   * to the gateways as one. As soon as it is not outstanding they have all of it.
   */
  | { readonly kind: "weight"; readonly group: string; readonly factor: number };

/** Everything that is to be done or watched now. Follows from the state alone: what a restarted controller goes on with. */
export function outstanding(state: ReleaseState): readonly ReleaseEffect[] {
  if (isOver(state)) return [];
  const { change, routing, reachedAt } = state;
  const applied: readonly ReleaseEffect[] =
    reachedAt === null
      ? [
          { kind: "route", change, routing },
          { kind: "converge", change },
        ]
      : [];
  return [...effectsOf(state, state.stage, groupInTurn(state)!.name), ...applied];
}

/** What has become outstanding from one state to the next. */
export function newEffects(before: ReleaseState, after: ReleaseState): readonly ReleaseEffect[] {
  if (before === after) return [];
  const known = new Set(outstanding(before).map((effect) => JSON.stringify(effect)));
  return outstanding(after).filter((effect) => !known.has(JSON.stringify(effect)));
}

function effectsOf(state: ReleaseState, stage: Stage, group: string): readonly ReleaseEffect[] {
  const { step } = state;
  switch (stage.kind) {
    case "draining":
      return watchDrain(state, stage.idle, group);
    case "returning": {
      const watched = stage.turned ? watchDrain(state, stage.idle, group) : [];
      return stage.stopping === null
        ? watched
        : [...watched, { kind: "stopHook", group, run: stage.stopping }];
    }
    case "updating":
      return runHook(state, "update", stage.work, group);
    case "restoring":
      return runHook(state, "restore", stage.work, group);
    case "checking":
      return [{ kind: "health", step, group, times: state.plan.checks }];
    case "shifting":
      return [{ kind: "verdict", step, group, share: stage.share }];
    case "holding":
      return [{ kind: "verdict", step, group, share: 100 }];
    case "merging": {
      const weight: ReleaseEffect = { kind: "weight", group, factor: stage.tenths / WHOLE_WEIGHT };
      return state.direction === "back" ? [weight] : [weight, { kind: "verdict", step, group, share: 0 }];
    }
    case "testing":
    case "done":
    case "rolledBack":
      return [];
  }
}

function watchDrain(state: ReleaseState, idle: boolean, group: string): readonly ReleaseEffect[] {
  if (state.reachedAt === null || idle) return [];
  return [{ kind: "drain", step: state.step, group, deadline: state.reachedAt + state.plan.drainTimeout }];
}

/** While the release is paused no run begins; one that is under way goes on, as nobody can say how far it is. */
function runHook(
  state: ReleaseState,
  hook: "update" | "restore",
  work: Work,
  group: string,
): readonly ReleaseEffect[] {
  if (work.kind === "person") return [];
  const { name } = state.hooks[hook]!;
  const { run, progress } = work;
  if (progress === "begun") return [{ kind: "hook", hook, name, group, run, begun: true }];
  return progress === "wanted" && state.pause === null
    ? [{ kind: "hook", hook, name, group, run, begun: false }]
    : [];
}
