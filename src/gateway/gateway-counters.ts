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
  readonly tls: TlsCounters;
  /** Connections closed because their PROXY header was missing, malformed or late. */
  proxyHeaders: number;
  /** Lines of the access log, and those there was no room for. */
  logLines: number;
  logDropped: number;
  /** Spans that a collector took, and those it could not be given. */
  spansExported: number;
  spansDropped: number;
  /** Answers of the gateway itself, by code. */
  readonly errors: Map<string, number>;
}

/** Handshakes with clients. */
export interface TlsCounters {
  /** Those that succeeded. */
  handshakes: number;
  /** Of these, sessions resumed. */
  resumed: number;
  /** Those that did not, by code, "other" when there are too many; ETIMEDOUT: not within `timeouts.header`. */
  readonly failures: Map<string, number>;
}

/** Notes an answer of the gateway itself; one without a code is no error. */
export function countError({ errors }: GatewayCounters, code: string): void {
  if (code !== "") countCode(errors, code);
}

/** Codes of failed handshakes that are told apart: clients cause them, by hundreds of ways to do it wrong. */
const MOST_CODES = 20;

/** Notes a handshake that failed. */
export function countTlsFailure({ tls: { failures } }: GatewayCounters, code: string): void {
  countCode(failures, failures.has(code) || failures.size < MOST_CODES ? code : "other");
}

function countCode(counts: Map<string, number>, code: string): void {
  counts.set(code, (counts.get(code) ?? 0) + 1);
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
    tls: { handshakes: 0, resumed: 0, failures: new Map() },
    proxyHeaders: 0,
    logLines: 0,
    logDropped: 0,
    spansExported: 0,
    spansDropped: 0,
    errors: new Map(),
  };
}
