import type { Freeze } from "../core/release-event.ts";
import { DEFAULT_PLAN, type ReleasePlan } from "../core/release-plan.ts";
import { isOver, RELEASE_FORMAT, type ReleaseState, type ReleaseStatus } from "../core/release-state.ts";

/** What is kept beside an app's document of its releases: plain JSON. */
export interface ReleaseRecord {
  /** The one that runs, or ran last. */
  readonly current?: ReleaseState;
  /** Those before it that are over, the newest first; bounded. */
  readonly past: readonly PastRelease[];
  readonly freeze?: StoredFreeze;
}

/** A release that is over, in short. Times are in ms since the epoch. */
export interface PastRelease {
  readonly id: string;
  readonly version: string;
  readonly status: ReleaseStatus;
  readonly begunAt: number;
  readonly endedAt: number;
  readonly by: string;
  /** Why it went back; null: it did not. */
  readonly reason: string | null;
}

export interface StoredFreeze extends Freeze {
  readonly by: string;
  readonly since: number;
}

/** How many releases that are over are kept. */
const MOST_KEPT = 20;

const NOTHING: ReleaseRecord = { past: [] };

/** What another version of this program wrote cannot be gone on with: it throws, and nobody touches the release. */
export class UnreadableRecord extends Error {
  override readonly name = "UnreadableRecord";
}

/** What is kept, read; of an app without any, an empty record. */
export function readRecord(releases: unknown): ReleaseRecord {
  if (releases === undefined) return NOTHING;
  const record: Partial<ReleaseRecord> | null = releases;
  if (typeof record !== "object" || record === null || !Array.isArray(record.past)) {
    throw new UnreadableRecord("what is kept of its releases was not written by this program");
  }
  const format: unknown = record.current?.format;
  if (record.current !== undefined && format !== RELEASE_FORMAT) {
    throw new UnreadableRecord(
      `its release has format ${JSON.stringify(format)}; expected ${RELEASE_FORMAT}, as this version of Halftone writes it`,
    );
  }
  const { current } = record as ReleaseRecord;
  return current === undefined
    ? (record as ReleaseRecord)
    : { ...(record as ReleaseRecord), current: withVerdicts(current) };
}

/** A release that was begun before there were verdicts goes on as one to which nothing of them has happened. */
function withVerdicts(state: ReleaseState): ReleaseState {
  const { quarantined, slower, plan }: Partial<ReleaseState> = state;
  const { verdict }: Partial<ReleasePlan> = plan ?? {};
  if (quarantined !== undefined && slower !== undefined && verdict !== undefined) return state;
  return {
    ...state,
    quarantined: quarantined ?? [],
    slower: slower ?? null,
    plan: { ...state.plan, verdict: verdict ?? DEFAULT_PLAN.verdict },
  };
}

/** The release that runs; undefined: none does. */
export function runningRelease(releases: unknown): ReleaseState | undefined {
  const { current } = readRecord(releases);
  return current === undefined || isOver(current) ? undefined : current;
}

/** One that another version of this program wrote is none that runs here. */
export function isRunning(releases: unknown): boolean {
  try {
    return runningRelease(releases) !== undefined;
  } catch (error) {
    if (error instanceof UnreadableRecord) return false;
    throw error;
  }
}

/** The record with another current release; the one before it, if it was another, becomes a past one. */
export function withCurrent(record: ReleaseRecord, current: ReleaseState): ReleaseRecord {
  const before = record.current;
  if (before === undefined || before.id === current.id) return { ...record, current };
  return { ...record, current, past: [pastOf(before), ...record.past].slice(0, MOST_KEPT) };
}

/** In short, as history shows it. */
export function pastOf(state: ReleaseState): PastRelease {
  const [first] = state.log;
  return {
    id: state.id,
    version: state.version,
    status: isOver(state) ? (state.stage.kind as ReleaseStatus) : "running",
    begunAt: first?.at ?? state.since,
    endedAt: state.since,
    by: first?.by ?? "",
    reason: state.rollbackReason,
  };
}
