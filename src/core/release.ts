import { obey } from "./release-commands.ts";
import { newEffects, type ReleaseEffect } from "./release-effects.ts";
import { isCommand, type ReleaseEvent } from "./release-event.ts";
import { takeReport } from "./release-reports.ts";
import { isRefusal } from "./release-settle.ts";
import { isOver, statusOf, type Refusal, type ReleaseState } from "./release-state.ts";

/*
 * A release as a state machine. With two groups:
 *
 *   group1: draining ▶ updating ▶ checking ▶ testing ▶ shifting 1 % … 100 % ▶ holding
 *   group2: draining ▶ updating ▶ checking ▶ testing ▶ merging ▶ done
 *   back:   draining ▶ restoring ▶ checking, group by group, in reverse ▶ merging ▶ rolled back
 *
 * What always holds, and is looked for in every state that can be reached (release-states.test.ts):
 * somebody serves the public; one group at most is out of service; the part of the public on the new version never falls
 * but by a rollback; a rollback is taken everywhere before the end; both ends can be reached; nothing goes on without the event
 * that it waits for, nor while it is paused or frozen.
 */

export type Transition =
  | {
      readonly kind: "next";
      /** The same object when the event changes nothing, so that nothing has to be stored. */
      readonly state: ReleaseState;
      /** What has become outstanding. Carried out only after the state is stored. */
      readonly effects: readonly ReleaseEffect[];
    }
  | ({ readonly kind: "refused" } & Refusal);

/**
 * The next state of a release. One event leads to one stage further at most. Commands and `hookBegun` are refused with a
 * reason when nothing can come of them; other reports are never refused.
 */
export function transition(state: ReleaseState, event: ReleaseEvent, now: number): Transition {
  if (isOver(state)) return afterTheEnd(state, event);
  const next = isCommand(event) ? obey(state, event, now) : takeReport(state, event, now);
  if (isRefusal(next)) return { kind: "refused", code: next.code, reason: next.reason };
  return { kind: "next", state: next, effects: newEffects(state, next) };
}

function afterTheEnd(state: ReleaseState, event: ReleaseEvent): Transition {
  if (!isCommand(event) && event.type !== "hookBegun") return { kind: "next", state, effects: [] };
  const end = statusOf(state) === "done" ? "done" : "rolled back";
  const reason = `release ${state.id} is ${end}; expected ${event.type} before that; begin another release`;
  return { kind: "refused", code: "over", reason };
}
