import type { ServerStatus } from "../gateway/server-status.ts";

/** What the admin surface may ask of the data plane, however many processes carry it. */
export interface GatewayView {
  /** Every server of the app, its numbers summed over all workers; empty for an app that no worker knows. */
  servers(app: string): Promise<readonly ServerStatus[]>;
  readiness(): Readiness;
}

export interface Readiness {
  /** Requests are being taken and answered. */
  readonly ready: boolean;
  /** Shutting down: requests in flight are finished, new connections go elsewhere. */
  readonly draining: boolean;
  readonly workers: { readonly running: number; readonly expected: number };
  /** Addresses of the data plane, for people: "0.0.0.0:8080". */
  readonly listen: readonly string[];
}
