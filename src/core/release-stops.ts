import { courseOf, placeOf, type Course } from "./release-course.ts";
import type { ReleasePhase } from "./release-view.ts";

export type StopMark = "was" | "is" | "comes";

/** One stop on a group's way: of a phase, or what it runs where nothing is left to be done. */
export interface Stop {
  readonly text: string;
  /** Null: it runs the old version, and stays with it. */
  readonly phase: ReleasePhase | null;
  readonly mark: StopMark;
}

/** What was, is and comes of one group, on the way forward or back. */
export function stopsOf(view: Course, name: string): readonly Stop[] {
  if (view.status === "rollingBack" || view.status === "rolledBack") return stopsBack(view, name);
  const here = placeOf(view);
  return courseOf(view).flatMap((station, place) => {
    if (station.group !== name) return [];
    const mark = place < here ? "was" : place === here ? "is" : "comes";
    const text = mark === "is" && station.phase === "shifting" ? `shifting ${view.share} %` : station.phase;
    return [{ text, phase: station.phase, mark }];
  });
}

const BACK = ["draining", "restoring", "checking"] as const;

/** In reverse; groups that run the old version have nothing to come. */
function stopsBack(view: Course, name: string): readonly Stop[] {
  const condition = view.groups.find((group) => group.name === name)?.condition;
  if (view.group !== name) {
    if (condition === "old") return [{ text: "old version", phase: null, mark: "was" }];
    return BACK.map((phase) => ({ text: phase, phase, mark: "comes" }));
  }
  const isLast = view.groups.every((group) => group.name === name || group.condition === "old");
  const phases: readonly ReleasePhase[] = [...BACK, ...(isLast ? (["merging"] as const) : [])];
  const here = phases.indexOf(view.phase);
  return phases.map((phase, place) => ({
    text: phase,
    phase,
    mark: place < here ? "was" : place === here ? "is" : "comes",
  }));
}

/**
 * Percentage of the public, testers apart, that is on the new version. Groups of both versions serve the public together only
 * while the share says how much of it each gets.
 */
export function publicOnNew({ groups, share, status }: Course): number {
  const serving = groups.filter(({ serves }) => serves === "public");
  const updated = serving.filter(({ condition }) => condition === "new");
  if (updated.length === 0 || status === "rolledBack") return 0;
  return updated.length === serving.length ? 100 : share;
}
