/** What is expected of one message, as far as it is named. Field names are in lower case. */
export interface Expected {
  /** Of a request: "GET /". */
  readonly start?: string;
  /** Of a response. */
  readonly status?: number;
  /** X-Halftone-Error; absent unless it is said here. */
  readonly code?: string;
  /** A list: so many lines, with these values. An empty one: the field is absent. */
  readonly fields?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
  /** A response to HEAD. */
  readonly bodiless?: boolean;
}

/** Bytes of a client, and what becomes of them. */
export interface RequestCase {
  /** Begins with the item of the checklist, or names who failed at it. */
  readonly name: string;
  /** As latin1 text. */
  readonly send: string;
  /** Sent after that in one piece. */
  readonly tail?: string;
  /** What the server sees, message by message; nothing unless it is said here. */
  readonly server?: readonly Expected[];
  /** What the client gets: own answers "STATUS code", or expectations. */
  readonly client: readonly (string | Expected)[];
  /** The gateway ends the connection after that. */
  readonly closes?: boolean;
  readonly http10?: boolean;
  /** The client's address is that of a trusted proxy. */
  readonly trusted?: boolean;
  /** The head, and a part of the body, of a message that is refused later may have come to a server. */
  readonly partial?: boolean;
  /** The client goes away when all is sent. */
  readonly leaves?: "fin" | "reset";
}

/** Bytes of a server, and what its client gets. */
export interface ResponseCase {
  readonly name: string;
  /** As latin1 text; sent when the request is whole. */
  readonly respond: string;
  /** How the server goes on. Default: it keeps the connection. */
  readonly ends?: "fin" | "reset";
  /** Default: GET of HTTP/1.1. */
  readonly request?: string;
  /** The answers of the client, 1xx first. "cut", "reset": the last one visibly breaks off. */
  readonly client: readonly (string | Expected)[];
  /** The connection to the server is used again, or is closed. */
  readonly server: "kept" | "closed";
  /**
   * More than one response is sent. What comes after the connection has been given to another request would be that one's:
   * such cases run one by one, and wait for the end of the connection.
   */
  readonly surplus?: boolean;
  /** The connection to the client ends after that. */
  readonly closes?: boolean;
  readonly http10?: boolean;
}

/** What would be processed if a gateway went on after it lost its place. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** A case that is answered by the gateway, and nothing of it, nor of what follows it, comes to a server. */
export function refused(name: string, send: string, verdict: string): RequestCase {
  return { name, send, tail: SMUGGLED, client: [verdict], closes: true };
}

/** A case whose head is fine, and whose body is not. */
export function refusedBody(name: string, send: string, verdict: string): RequestCase {
  return { ...refused(name, send, verdict), partial: true };
}

/** A case that goes to the server, which sees this and answers plainly. */
export function passed(name: string, send: string, ...server: readonly Expected[]): RequestCase {
  const client = server.map(({ start }) => ({ status: 200, bodiless: start?.startsWith("HEAD ") === true }));
  return { name, send, server, client };
}

/** GET / with these field lines. */
export function get(...lines: readonly string[]): string {
  return head("GET / HTTP/1.1", "Host: a", ...lines);
}

/** A chunked POST with this body, its framing included. */
export function chunked(body: string, ...lines: readonly string[]): string {
  return `${head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", ...lines)}${body}`;
}

export function head(...lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}
