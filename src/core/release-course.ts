import type { ReleaseView } from "./release-view.ts";

/** Of a release, what says where on its way it is. */
export type Course = Pick<
  ReleaseView,
  "plan" | "status" | "phase" | "group" | "share" | "waitingFor" | "groups"
>;

/** What is known of it before it begins. */
export interface Planned {
  readonly plan: Pick<ReleaseView["plan"], "steps">;
  readonly groups: readonly { readonly name: string }[];
}

/** Phases that a release comes to on its way forward, and its end. */
export const PHASES = [
  "draining",
  "updating",
  "checking",
  "testing",
  "shifting",
  "holding",
  "merging",
  "done",
] as const;

export type CoursePhase = (typeof PHASES)[number];

/** One phase of one group's turn; the end has no group. */
export interface Station {
  readonly group: string | null;
  readonly phase: CoursePhase;
}

/** Every phase that lies on the way of this release by its plan, from its beginning to its end. */
export function courseOf({ groups, plan }: Planned): readonly Station[] {
  const has = (kind: "testers" | "share" | "hold"): boolean => plan.steps.some((step) => step.kind === kind);
  const stations = groups.flatMap(({ name }, turn) => {
    const phases: readonly (CoursePhase | false)[] = [
      "draining",
      "updating",
      "checking",
      has("testers") && "testing",
      // Only the first group takes clients by share: then nobody is left to be moved.
      turn === 0 && has("share") && "shifting",
      turn === 0 && has("hold") && "holding",
      turn > 0 && "merging",
    ];
    return phases.filter((phase) => phase !== false).map((phase): Station => ({ group: name, phase }));
  });
  return [...stations, { group: null, phase: "done" }];
}

/** Where on its course it is; -1: it goes back, or went. */
export function placeOf(view: Course): number {
  if (view.status === "rollingBack" || view.status === "rolledBack") return -1;
  return courseOf(view).findIndex(({ group, phase }) => group === view.group && phase === view.phase);
}

/**
 * The place meant by a phase: the present one or the next with that name, as each group has its own. A phase that does
 * not come any more means the end.
 */
export function placeMeant(view: Course, phase: CoursePhase): number {
  const course = courseOf(view);
  const next = course.findIndex((station, place) => place >= placeOf(view) && station.phase === phase);
  return next < 0 ? course.length - 1 : next;
}

/** That place is behind, or it is the present one, and every gateway has it in force. */
export function isReached(view: Course, place: number): boolean {
  const here = placeOf(view);
  if (view.status === "done") return true;
  return here > place || (here === place && view.status === "running" && view.waitingFor !== "convergence");
}
