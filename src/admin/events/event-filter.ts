import type { EventType } from "./event-types.ts";

/** Which events a reader wants. */
export interface EventFilter {
  /** Undefined: of every app. What is about no app in particular is wanted either way. */
  readonly apps: ReadonlySet<string> | undefined;
  /** Undefined: of every type. */
  readonly types: ReadonlySet<EventType> | undefined;
}

export function isWanted({ apps, types }: EventFilter, type: EventType, app: string | undefined): boolean {
  if (types !== undefined && !types.has(type)) return false;
  return apps === undefined || app === undefined || apps.has(app);
}

/** Equal for filters that want the same. */
export function filterKey({ apps, types }: EventFilter): string {
  return JSON.stringify([apps, types].map((names) => (names === undefined ? null : [...names].sort())));
}
