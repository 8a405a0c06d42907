/** What is known of an app's servers at the time of an event, for the guards. */
export interface Facts {
  /** By name. A group that is missing is one of which nothing is known: no step forward relies on it. */
  readonly groups: Readonly<Record<string, GroupCapacity>>;
  /** Most requests a second that one server is known to carry; undefined: that is not asked. */
  readonly peakPerServer?: number | undefined;
  /** Requests a second that the app gets now; undefined: nothing was measured. */
  readonly currentRate?: number | undefined;
  readonly freeze?: Freeze | undefined;
}

export interface GroupCapacity {
  /** Of all its servers together, and of those alive. */
  readonly weight: number;
  readonly liveWeight: number;
  readonly servers: number;
  readonly live: number;
}

/** Stops every step forward, never a rollback. */
export interface Freeze {
  /** Milliseconds since the epoch; null: until it is lifted. */
  readonly until: number | null;
  readonly reason: string;
}

/** Everything that moves a release: what people say, what the controller reports, and the time. */
export type ReleaseEvent = ReleaseCommand | ReleaseReport;

/**
 * What a person says.
 *
 * - `continue`: ends a wait for a person. In trouble: a drain or a verdict is not waited for any longer, a failed hook is
 *   run again, a hook of which nobody knows how it ended was done.
 * - `retry`: a hook that failed, or of which nobody knows how it ended, is run again.
 * - `rollback`: taken at any time before the end.
 */
export interface ReleaseCommand {
  readonly type: "continue" | "retry" | "pause" | "resume" | "rollback";
  readonly by: string;
  readonly reason?: string | undefined;
  /** The step that the person looked at: any command but `rollback` is refused when another one has come since. */
  readonly step?: number | undefined;
  readonly facts: Facts;
}

/**
 * What the controller found out. Each says which step, change or run it answers; one that answers another than the
 * present one changes nothing, so that reports may come late and twice.
 */
export type ReleaseReport = { readonly facts: Facts } & (
  | { readonly type: "tick" }
  /** Every live gateway applies the routing of that change. */
  | { readonly type: "converged"; readonly change: number }
  /** Whether a request or tunnel is in flight on the group, and where ("10.0.4.175:80: 3 in flight on gateway-2"). */
  | {
      readonly type: "drain";
      readonly step: number;
      readonly idle: boolean;
      readonly busy: readonly string[];
    }
  /** Asks to begin a run: the controller runs it only when the answer is a next state, and that state is stored. */
  | { readonly type: "hookBegun"; readonly run: string }
  /** `unknown`: nobody can tell how it ended, as the controller or the connection broke off meanwhile. */
  | {
      readonly type: "hookEnded";
      readonly run: string;
      readonly outcome: "done" | "failed" | "unknown";
      readonly detail: string;
    }
  /** All servers of the group. */
  | { readonly type: "health"; readonly step: number; readonly servers: readonly CheckedServer[] }
  | {
      readonly type: "verdict";
      readonly step: number;
      readonly verdict: "worse" | "notWorse" | "none";
      readonly reason: string;
    }
  /**
   * The version is worse because of this one server. The facts are those without it: whether it may be taken out is judged by
   * them.
   */
  | {
      readonly type: "badServer";
      readonly step: number;
      readonly server: string;
      readonly reason: string;
    }
  /** What was slow for the old version: latencies in ms of its p50, p90 and p99. */
  | { readonly type: "slower"; readonly slower: readonly number[] }
);

export interface CheckedServer {
  readonly id: string;
  /** Checks passed in a row since the step began. */
  readonly passed: number;
  /** Why the last check failed; undefined: it passed, or there was none yet. */
  readonly error?: string | undefined;
}

export function isCommand(event: ReleaseEvent): event is ReleaseCommand {
  return "by" in event;
}
