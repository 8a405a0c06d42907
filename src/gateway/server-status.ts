/** What one gateway process knows of one server of one app. */
export interface ServerStatus {
  readonly app: string;
  readonly group: string;
  /** Canonical address, the id of `core` `Server`. */
  readonly server: string;
  readonly weight: number;
  /** Requests and tunnels that are on this server now. */
  readonly inFlight: number;
  /** Tries sent there since start. */
  readonly requests: number;
  readonly failures: number;
  /** Milliseconds since the epoch until which the server is left out; null: in service. */
  readonly deadUntil: number | null;
  readonly lastError: string | null;
  /** What the active check says; true when there is none. */
  readonly healthy: boolean;
}

/** One process found a server dead, or alive again; the others of the same gateway are told. */
export type HealthFinding =
  | {
      readonly kind: "dead";
      readonly app: string;
      readonly server: string;
      /** Milliseconds since the epoch. */
      readonly deadUntil: number;
      /** Failures in a row so far: the next die time doubles from here. */
      readonly streak: number;
      readonly error: string;
    }
  | { readonly kind: "alive"; readonly app: string; readonly server: string }
  | CheckFinding;

/** Of a server that is out, by traffic or by check. */
export type OutOfService = Extract<HealthFinding, { kind: "dead" | "check" }>;

/** The active check took a server out, or brought it back. */
export interface CheckFinding {
  readonly kind: "check";
  readonly app: string;
  readonly server: string;
  readonly healthy: boolean;
  /** What the failed check found; "" for a good one. */
  readonly error: string;
}
