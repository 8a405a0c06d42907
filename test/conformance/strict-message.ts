/**
 * The judge of what the gateway sends, in both directions: a parser that takes the one canonical form of a message and
 * nothing else. It shares no code with src/http1, so that a misreading there is not repeated here.
 */
export interface StrictMessage {
  readonly startLine: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** Field lines in their order; names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
}

/** What was sent is not canonical. */
class Complaint extends Error {}

export interface Read {
  readonly message: StrictMessage;
  /** Offset just after it. */
  readonly end: number;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const BAD_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;
const HOP_BY_HOP = ["keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  "content-length",
  "transfer-encoding",
  "host",
  "authorization",
  "cookie",
  "set-cookie",
]);

/** All values of that lower-case name. */
export function valuesOf(message: StrictMessage, name: string): readonly string[] {
  return message.fields.filter(([known]) => known === name).map(([, value]) => value);
}

/** Reads one request from the start of `text`; undefined when it is not whole yet. Throws a Complaint. */
export function readRequest(text: string): Read | undefined {
  const head = readHead(text);
  if (head === undefined) return undefined;
  const parts = /^([A-Z-]+) (\/[!-"$-~]*|\*) HTTP\/1\.1$/.exec(head.startLine);
  if (parts === null) throw new Complaint(`request line ${JSON.stringify(head.startLine)}`);
  const [, method = "", target = ""] = parts;
  if (target === "*" && method !== "OPTIONS") throw new Complaint("* without OPTIONS");
  const path = target.replace(/\?.*/, "");
  if (/(?:^|\/)(?:\.|%2e){1,2}(?:\/|;|$)/i.test(path)) throw new Complaint(`dot segments in ${target}`);
  if (/\\|%00|%(?![0-9a-f]{2})/i.test(path)) throw new Complaint(`ambiguous bytes in ${target}`);
  if (head.fields[0]?.[0] !== "host" || count(head.fields, "host") !== 1)
    throw new Complaint("not one Host, first");
  judgeConnection(head.fields, ["Upgrade"]);
  const chunked = judgeFraming(head.fields);
  const length = Number(valueOf(head.fields, "content-length") ?? 0);
  const body = chunked ? readChunks(text, head.end) : readLength(text, head.end, length);
  if (body === undefined) return undefined;
  return { message: { ...head, method, target, status: 0, ...body }, end: body.end };
}

/**
 * Reads one response from the start of `text`; `ended`: nothing more will come. `bodiless`: it answers HEAD. `http10`:
 * its client speaks HTTP/1.0.
 */
export function readResponse(
  text: string,
  about: { readonly ended: boolean; readonly bodiless: boolean; readonly http10: boolean },
): Read | undefined {
  const head = readHead(text);
  if (head === undefined) return undefined;
  const parts = /^HTTP\/1\.1 ([1-5]\d\d) [\t -~\x80-\xff]*$/.exec(head.startLine);
  if (parts === null) throw new Complaint(`status line ${JSON.stringify(head.startLine)}`);
  const status = Number(parts[1]);
  const none = about.bodiless || status < 200 || status === 204 || status === 304;
  judgeConnection(head.fields, status === 101 ? ["Upgrade"] : ["close", "keep-alive"]);
  const chunked = judgeFraming(head.fields);
  const length = valueOf(head.fields, "content-length");
  if (chunked && (about.http10 || none)) throw new Complaint(`chunked where nobody expects it: ${status}`);
  if ((status < 200 || status === 204) && length !== undefined) throw new Complaint(`a length in ${status}`);
  if (about.http10 && status < 200) throw new Complaint("1xx to HTTP/1.0");
  if (status >= 200 && count(head.fields, "date") !== 1) throw new Complaint("not one Date");
  const message = { ...head, method: "", target: "", status };
  if (none) return { message: { ...message, body: "", trailers: [] }, end: head.end };
  if (chunked) {
    const body = readChunks(text, head.end);
    return body && { message: { ...message, ...body }, end: body.end };
  }
  if (length !== undefined) {
    const body = readLength(text, head.end, Number(length));
    return body && { message: { ...message, ...body }, end: body.end };
  }
  if (valueOf(head.fields, "connection") !== "close") throw new Complaint("no framing, and not the last one");
  if (!about.ended) return undefined;
  return { message: { ...message, body: text.slice(head.end), trailers: [] }, end: text.length };
}

interface Head {
  readonly startLine: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly end: number;
}

function readHead(text: string): Head | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [startLine = "", ...lines] = text.slice(0, end).split("\r\n");
  return { startLine, fields: lines.map(readLine), end: end + 4 };
}

function readLine(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  const name = line.slice(0, colon);
  const value = line.slice(colon + 1);
  if (colon < 1 || !TOKEN.test(name) || BAD_VALUE.test(value)) {
    throw new Complaint(`field line ${JSON.stringify(line)}`);
  }
  return [name.toLowerCase(), value.replace(/^[ \t]+|[ \t]+$/g, "")];
}

/** True for chunked. */
function judgeFraming(fields: Head["fields"]): boolean {
  const lengths = count(fields, "content-length");
  const codings = count(fields, "transfer-encoding");
  if (lengths + codings > 1) throw new Complaint("framed twice");
  const length = valueOf(fields, "content-length");
  if (length !== undefined && !/^(?:0|[1-9]\d{0,15})$/.test(length)) throw new Complaint(`length ${length}`);
  const coding = valueOf(fields, "transfer-encoding");
  if (coding !== undefined && coding !== "chunked") throw new Complaint(`coding ${coding}`);
  return coding !== undefined;
}

function judgeConnection(fields: Head["fields"], allowed: readonly string[]): void {
  const options = fields.filter(([name]) => name === "connection").map(([, value]) => value);
  if (options.length > 1 || options.some((option) => !allowed.includes(option))) {
    throw new Complaint(`Connection: ${options.join(" | ")}`);
  }
  for (const name of HOP_BY_HOP) {
    const isDue = name === "transfer-encoding" || (name === "upgrade" && options[0] === "Upgrade");
    if (!isDue && count(fields, name) > 0) throw new Complaint(`${name} was passed on`);
  }
}

interface Body {
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
  readonly end: number;
}

function readLength(text: string, start: number, length: number): Body | undefined {
  const end = start + length;
  return text.length < end ? undefined : { body: text.slice(start, end), trailers: [], end };
}

function readChunks(text: string, start: number): Body | undefined {
  let body = "";
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const line = text.slice(at, lineEnd);
    if (!/^(?:0|[1-9a-f][0-9a-f]*)$/.test(line)) throw new Complaint(`chunk size ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return undefined;
    body += text.slice(at, at + size);
    at += size;
    if (text.slice(at, at + 2) !== "\r\n") throw new Complaint("no CRLF after chunk data");
    at += 2;
  }
  const end = text.startsWith("\r\n", at) ? at : text.indexOf("\r\n\r\n", at) + 2;
  if (end < at || text.length < end + 2) return undefined;
  const lines = text.slice(at, end).split("\r\n");
  const trailers = lines.filter((line) => line !== "").map(readLine);
  const bad = trailers.find(([name]) => NOT_IN_TRAILERS.has(name));
  if (bad !== undefined) throw new Complaint(`${bad[0]} in a trailer`);
  return { body, trailers, end: end + 2 };
}

function count(fields: Head["fields"], name: string): number {
  return fields.filter(([known]) => known === name).length;
}

function valueOf(fields: Head["fields"], name: string): string | undefined {
  return fields.find(([known]) => known === name)?.[1];
}
