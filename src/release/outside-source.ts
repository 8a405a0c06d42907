import type { Comparison } from "../core/verdict/counts.ts";

/** Groups that are compared together, by name, and all of their servers, by address: "10.0.4.175:80". */
export interface Side {
  readonly groups: readonly string[];
  readonly servers: readonly string[];
}

export interface OutsideRequest {
  readonly app: string;
  /** Id of the release that is judged. */
  readonly release: string;
  /** The group under test. */
  readonly test: Side;
  /** The groups that serve beside it. */
  readonly rest: Side;
}

export type OutsideReading =
  | { readonly kind: "counted"; readonly comparison: Comparison }
  /** `reason`: for people, harmless, at most 300 characters. */
  | { readonly kind: "failed"; readonly reason: string };

/** Where counts come from that the gateway does not see. */
export interface OutsideSource {
  readonly name: string;
  /** What was counted of both sides up to now since whenever, or why that is not known. Never rejects. */
  read(request: OutsideRequest, signal: AbortSignal): Promise<OutsideReading>;
}
