/**
 * The catalogue of what the gateway answers by itself. `code` goes out as X-Halftone-Error and is listed in
 * docs/errors.md, which a test checks against this file. Refusals of the parser (`http1/refusal.ts`) bring codes of their own.
 */
export interface GatewayError {
  readonly code: string;
  readonly status: number;
  /** Who has to look: the client that sent it, the servers behind, or the operator of the gateway. */
  readonly fault: "client" | "server" | "operator";
  readonly message: string;
  /** Further lines of the answer's head, each with its CRLF. */
  readonly fields?: string;
}

const error = (
  status: number,
  code: string,
  fault: GatewayError["fault"],
  message: string,
  fields: string = "",
): GatewayError => Object.freeze({ status, code, fault, message, fields });

/** Who is turned away for want of room comes back after a second. */
const LATER = "Retry-After: 1\r\n";

export const noRoute: GatewayError = error(
  404,
  "no_route",
  "operator",
  "No app here claims this host and path.",
);
export const loopDetected: GatewayError = error(
  508,
  "loop_detected",
  "operator",
  "The request has passed this gateway before.",
);
export const certificateRequired: GatewayError = error(
  403,
  "certificate_required",
  "client",
  "This address is for clients that show a certificate.",
);
export const certificateRefused: GatewayError = error(
  403,
  "certificate_refused",
  "client",
  "The client certificate could not be verified.",
);
export const headTimeout: GatewayError = error(
  408,
  "head_timeout",
  "client",
  "The request head did not arrive in time.",
);
export const bodyTimeout: GatewayError = error(
  408,
  "body_timeout",
  "client",
  "The request body did not arrive in time.",
);
export const bodyTooLarge: GatewayError = error(
  413,
  "body_too_large",
  "client",
  "The request body is larger than this gateway accepts.",
);
export const connectFailed: GatewayError = error(
  502,
  "connect_failed",
  "server",
  "The server could not be reached.",
);
export const tlsFailed: GatewayError = error(
  502,
  "tls_failed",
  "server",
  "No secure connection to the server came about.",
);
export const serverRefused: GatewayError = error(
  502,
  "server_refused",
  "operator",
  "The server's address is one that this gateway does not connect to.",
);
export const serverCut: GatewayError = error(
  502,
  "server_cut",
  "server",
  "The server closed the connection before it answered.",
);
export const badResponse: GatewayError = error(
  502,
  "bad_response",
  "server",
  "The server sent something that is not a valid HTTP response.",
);
export const noServer: GatewayError = error(
  503,
  "no_server",
  "operator",
  "No server of this app can be chosen.",
);
export const tlsUnknown: GatewayError = error(
  503,
  "tls_unknown",
  "operator",
  "The app names a way to speak TLS to its servers that this gateway does not know.",
);
export const groupDown: GatewayError = error(
  503,
  "group_down",
  "server",
  "The group under test has no live server, and testers are not sent elsewhere.",
);
export const overloaded: GatewayError = error(
  503,
  "overloaded",
  "operator",
  "The gateway has as many requests under way as it can carry. Try again in a moment.",
  LATER,
);
export const tooManyConnections: GatewayError = error(
  503,
  "too_many_connections",
  "operator",
  "The gateway has as many connections open as it may. Try again in a moment.",
  LATER,
);
export const noDescriptor: GatewayError = error(
  503,
  "no_descriptor",
  "operator",
  "The gateway cannot open a connection to a server: it has too many files and connections open.",
  LATER,
);
export const tooManyOffences: GatewayError = error(
  400,
  "too_many_offences",
  "client",
  "This connection has made too much use of what serves no honest end, such as empty lines or chunk extensions.",
);
export const requestTimeout: GatewayError = error(
  504,
  "request_timeout",
  "server",
  "The request as a whole took longer than this gateway allows.",
);
export const connectTimeout: GatewayError = error(
  504,
  "connect_timeout",
  "server",
  "The server did not accept a connection in time.",
);
export const responseTimeout: GatewayError = error(
  504,
  "response_timeout",
  "server",
  "The server did not answer in time.",
);

/** Every error of this file, for the documentation. */
export const gatewayErrors: readonly GatewayError[] = [
  noRoute,
  loopDetected,
  certificateRequired,
  certificateRefused,
  headTimeout,
  bodyTimeout,
  bodyTooLarge,
  connectFailed,
  tlsFailed,
  serverRefused,
  serverCut,
  badResponse,
  noServer,
  tlsUnknown,
  groupDown,
  overloaded,
  tooManyConnections,
  noDescriptor,
  tooManyOffences,
  requestTimeout,
  connectTimeout,
  responseTimeout,
];
