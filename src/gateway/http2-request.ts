import { METHOD_NOT_ALLOWED } from "../http1/refusal.ts";
import { badHttp2Fields, unknownProtocol } from "./gateway-error.ts";
import { problemOf, type Problem } from "./own-answer.ts";

/** A request's head as HTTP/1.1 has it, to be parsed like any other. */
export interface DowngradedHead {
  readonly kind: "head";
  /** Latin1 text, empty line included. */
  readonly text: string;
  /** Field lines in `text`. If a parser finds another number, a value held the end of a line. */
  readonly lines: number;
  /** It asks for a WebSocket (RFC 8441): a GET that wants an upgrade. */
  readonly webSocket: boolean;
}

export interface RefusedHead {
  readonly kind: "refused";
  readonly problem: Problem;
}

/** Characters of a field name (RFC 9110, 5.6.2), of which HTTP/2 takes lower case alone (RFC 9113, 8.2.1). */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What would end a line, or be refused in one: any control character but HTAB; white space at either end. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const BAD_VALUE = /[\0-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$/;
/** Visible ASCII: a space would begin the next element of an HTTP/1.1 request line. */
const VISIBLE = /^[\x21-\x7e]+$/;

/** RFC 9113, 8.2.2: fields of a connection. In HTTP/1.1 they would frame the message: request smuggling (H2.TE). */
const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** Methods whose requests servers expect to say how long their body is, though it is empty (RFC 9110, 8.6). */
const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** The five there are for requests (RFC 9113, 8.3.1; RFC 8441, 4). */
interface PseudoFields {
  method?: string;
  scheme?: string;
  authority?: string;
  path?: string;
  protocol?: string;
}

/**
 * Writes a request's field section as the head of HTTP/1.1 that says the same. What comes of it is parsed by the one
 * parser there is, so that a stream is refused, routed and framed exactly as a connection's request is; what that parser
 * cannot see any more (RFC 9113, 8.2 and 8.3: order, case, pseudo fields, fields of connections) is judged here.
 *
 * `fields`: names and values in turn, in the order they came. `ended`: no body follows. `key`: Sec-WebSocket-Key for the
 * server, as HTTP/2 has none.
 */
export function downgradedHead(
  fields: readonly string[],
  ended: boolean,
  key: string,
): DowngradedHead | RefusedHead {
  const pseudo: PseudoFields = {};
  let text = "";
  let lines = 0;
  let host: string | undefined;
  let cookie = "";
  let hasLength = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (BAD_VALUE.test(value))
      return malformed(`The value of ${shown(name)} holds a control character, or white space at an end.`);
    if (name.startsWith(":")) {
      if (lines > 0 || host !== undefined || cookie !== "") return malformed("Pseudo fields come first.");
      const wrong = notePseudo(pseudo, name, value);
      if (wrong !== undefined) return malformed(wrong);
      continue;
    }
    if (!NAME.test(name)) return malformed(`${shown(name)} is not a field name in lower case.`);
    if (CONNECTION_SPECIFIC.has(name)) return malformed(`${name} is not a field of HTTP/2.`);
    if (name === "te" && value.toLowerCase() !== "trailers") {
      return malformed("te says something else than trailers.");
    }
    if (name === "host") {
      if (host !== undefined) return malformed("host is there twice.");
      host = value;
    } else if (name === "cookie") {
      // RFC 9113, 8.2.3: crumbs are joined where no HTTP/2 goes on.
      cookie += cookie === "" ? value : `; ${value}`;
    } else {
      if (name === "content-length") hasLength = true;
      if (pseudo.protocol !== undefined && name === "sec-websocket-key") continue;
      text += `${name}: ${value}\r\n`;
      lines++;
    }
  }
  if (cookie !== "") {
    text += `cookie: ${cookie}\r\n`;
    lines++;
  }
  const refused = judge(pseudo, host, hasLength);
  if (refused !== undefined) return refused;
  const webSocket = pseudo.protocol !== undefined;
  if (webSocket) {
    text += `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${key}\r\n`;
    lines += 3;
  } else if (!hasLength && !ended) {
    text += "transfer-encoding: chunked\r\n";
    lines++;
  } else if (!hasLength && WITH_BODY.has(pseudo.method!)) {
    text += "content-length: 0\r\n";
    lines++;
  }
  const method = webSocket ? "GET" : pseudo.method!;
  const authority = pseudo.authority ?? host!;
  return {
    kind: "head",
    text: `${method} ${pseudo.path!} HTTP/1.1\r\nhost: ${authority}\r\n${text}\r\n`,
    lines: lines + 1,
    webSocket,
  };
}

/** The trailer section of a request as field lines with an empty one after them; undefined when it is malformed. */
export function downgradedTrailers(fields: readonly string[]): string | undefined {
  let text = "";
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (!NAME.test(name) || BAD_VALUE.test(value)) return undefined;
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}

function notePseudo(pseudo: PseudoFields, name: string, value: string): string | undefined {
  switch (name) {
    case ":method":
    case ":scheme":
    case ":authority":
    case ":path":
    case ":protocol": {
      const key = name.slice(1) as keyof PseudoFields;
      if (pseudo[key] !== undefined) return `${name} is there twice.`;
      pseudo[key] = value;
      return undefined;
    }
    default:
      return `${shown(name)} is no pseudo field of a request.`;
  }
}

/** RFC 9113, 8.3.1 and 8.5; RFC 8441, 4. */
function judge(
  { method, scheme, authority, path, protocol }: PseudoFields,
  host: string | undefined,
  hasLength: boolean,
): RefusedHead | undefined {
  if (method === undefined || !METHOD.test(method)) return malformed(":method is missing or not a token.");
  if (method === "CONNECT" && protocol === undefined) return refused(problemOf(METHOD_NOT_ALLOWED));
  if (protocol !== undefined) {
    if (method !== "CONNECT") return malformed(":protocol belongs to CONNECT.");
    if (protocol.toLowerCase() !== "websocket") return refused(unknownProtocol);
    if (hasLength) return malformed("A tunnel has no content-length.");
  }
  if (scheme === undefined || !/^https?$/i.test(scheme)) return malformed(":scheme must be http or https.");
  if (path === undefined || !VISIBLE.test(path) || !(path.startsWith("/") || path === "*")) {
    return malformed(":path must be there, begin with / and hold visible ASCII only.");
  }
  if (path === "*" && method !== "OPTIONS") return malformed(":path is * with OPTIONS only.");
  const named = authority ?? host;
  if (named === undefined || !VISIBLE.test(named)) return malformed("There is no :authority or host.");
  // Two answers to whom the request is for: one may be what was checked, the other what is served.
  if (host !== undefined && host.toLowerCase() !== named.toLowerCase()) {
    return malformed(":authority and host differ.");
  }
  return undefined;
}

function malformed(message: string): RefusedHead {
  return refused({ ...badHttp2Fields, message: `${badHttp2Fields.message} ${message}` });
}

function refused(problem: Problem): RefusedHead {
  return { kind: "refused", problem };
}

/** A name that a client chose, fit for our own pages and short. */
function shown(name: string): string {
  return name.replaceAll(/[^\w:.-]/g, "?").slice(0, 40);
}
