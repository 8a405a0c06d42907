/** Totals of one gateway process since its start. */
export interface GatewayCounters {
  /** Requests whose head was read and accepted. */
  requests: number;
  /** Client connections open now. */
  connections: number;
  /** Requests under way now, tunnels included. */
  inFlight: number;
  /** Tries after the first one of a request. */
  retries: number;
  /** Requests that may have been repeated but for the retry budget. */
  retriesRefused: number;
  /** Clients there by share who were served by the others, as the group under test had no live server. */
  shareFallbacks: number;
  testerFallbacks: number;
  emergencySpills: number;
  /** Picks made over a whole pool because every server of it was dead. */
  panics: number;
  /** Responses cut after they had begun. */
  cuts: number;
  /** Answers of the gateway itself, by code. */
  readonly errors: Map<string, number>;
}

/** Notes an answer of the gateway itself. */
export function countError(counters: GatewayCounters, code: string): void {
  counters.errors.set(code, (counters.errors.get(code) ?? 0) + 1);
}

export function newCounters(): GatewayCounters {
  return {
    requests: 0,
    connections: 0,
    inFlight: 0,
    retries: 0,
    retriesRefused: 0,
    shareFallbacks: 0,
    testerFallbacks: 0,
    emergencySpills: 0,
    panics: 0,
    cuts: 0,
    errors: new Map(),
  };
}
