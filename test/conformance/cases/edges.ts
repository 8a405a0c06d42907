import {
  chunked,
  get,
  head,
  passed,
  refused,
  refusedBody,
  type Expected,
  type RequestCase,
  type ResponseCase,
} from "../case.ts";

const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");
const MANY = Array.from({ length: 60 }, (_, index) => `x${index}`);
const HOST = "Host: a";
const NEXT = head("GET /next HTTP/1.1", HOST);

/** Refused at its head; the answer is a head alone (RFC 9110, 9.3.2). */
function refusedHead(name: string, send: string, status: number, code: string): RequestCase {
  return { ...refused(name, send, ""), client: [{ status, code, bodiless: true }] };
}

/** Fields that would change what the head has said; each alone, for a list of names has gaps. */
const MISLEADING = [
  "Authorization: Basic x",
  "Cache-Control: no-store",
  "Connection: close",
  "Content-Encoding: gzip",
  "Content-Length: 5",
  "Content-Range: bytes 0-1/2",
  "Content-Type: text/html",
  "Cookie: a=b",
  "Expect: 100-continue",
  "Forwarded: for=192.0.2.1",
  "Host: b",
  "Keep-Alive: timeout=5",
  "Max-Forwards: 1",
  "Proxy-Authorization: Basic x",
  "Range: bytes=1-",
  "Set-Cookie: a=b",
  "TE: gzip",
  "Trailer: X",
  "Transfer-Encoding: chunked",
  "Upgrade: websocket",
  "X-Forwarded-For: 192.0.2.1",
  "X-Request-Id: forged",
];

/** What no other table has; an independent corpus written from the same checklist asks for it. */
export const requestEdges: readonly RequestCase[] = [
  refusedHead("64 HEAD without Host", head("HEAD / HTTP/1.1"), 400, "missing_host"),
  refusedHead("64 HEAD with a bad path", head("HEAD /.. HTTP/1.1", HOST), 400, "bad_path"),
  refusedHead("64 HEAD after an empty line", `\r\n${head("HEAD / HTTP/1.1")}`, 400, "missing_host"),
  refusedHead(
    "64 HEAD with too large a head",
    head("HEAD / HTTP/1.1", HOST, `A: ${"b".repeat(17_000)}`),
    431,
    "head_too_large",
  ),
  refused("64 HEADER is not HEAD", head("HEADER / HTTP/1.1", HOST), "501 unknown_method"),
  refused("64 Head is not HEAD", head("Head /.. HTTP/1.1", HOST), "501 unknown_method"),
  refusedBody(
    "32 LF in an extension ends no line",
    chunked("2;\n\r\naa\r\n0\r\n\r\n"),
    "400 bad_chunk_extension",
  ),
  refusedBody(
    "32 CR in an extension ends no line",
    chunked("2;\raa\r\n\r\n0\r\n\r\n"),
    "400 bad_chunk_extension",
  ),
  refusedBody(
    "32 no line end between data and the next size",
    chunked("2\r\naa0\r\n\r\n"),
    "400 bad_chunk_end",
  ),
  refusedBody("32 CR and another byte after the data", chunked("2\r\naa\rX0\r\n\r\n"), "400 bad_chunk_end"),
  refusedBody("32 a size in the place of a line end", chunked("2\r\naa4c\r\n0\r\n\r\n"), "400 bad_chunk_end"),
  refused(
    "28 CL.0: zero, then the length of a request",
    `${head("GET / HTTP/1.1", HOST, "Content-Length: 0", `Content-Length: ${NEXT.length}`)}${NEXT}`,
    "400 two_lengths",
  ),
  ...MISLEADING.map((line) =>
    passed(`34 a trailer ${line}`, chunked(`1\r\na\r\n0\r\n${line}\r\n\r\n`), { body: "a", trailers: {} }),
  ),
  {
    name: "36 a byte after a body begins the next request",
    send: `${head("POST / HTTP/1.1", HOST, "Content-Length: 3")}abcX\r\n\r\n`,
    tail: NEXT,
    server: [{ start: "POST /", body: "abc" }],
    client: [{ status: 200 }, "400 bad_request_line"],
    closes: true,
  },
  passed(
    "5 CRLF after a body",
    `${head("POST / HTTP/1.1", HOST, "Content-Length: 2")}ab\r\n${NEXT}`,
    {
      body: "ab",
    },
    { start: "GET /next" },
  ),
  passed("37 every byte in a body", `${head("POST / HTTP/1.1", HOST, "Content-Length: 256")}${EVERY_BYTE}`, {
    body: EVERY_BYTE,
  }),
  passed("37 every byte in a chunk", chunked(`100\r\n${EVERY_BYTE}\r\n0\r\n\r\n`), { body: EVERY_BYTE }),
  passed("37 a chunk that holds the end of a body", chunked(`5\r\n0\r\n\r\n\r\n0\r\n\r\n`), {
    body: "0\r\n\r\n",
  }),
  passed("39 many names in Connection", get(`Connection: ${MANY.join()}`, "X59: a", "X60: b"), {
    fields: { x59: [], x60: "b" },
  }),
  passed("39 a name in Connection after empty ones", get("Connection: ,, ,A-B ,", "a-b: c"), {
    fields: { "a-b": [] },
  }),
];

const ok = (...lines: readonly string[]): string => head("HTTP/1.1 200 OK", ...lines);

function kept(name: string, respond: string, ...client: readonly Expected[]): ResponseCase {
  return { name, respond, client, server: "kept" };
}

export const responseEdges: readonly ResponseCase[] = [
  kept("55 every byte in a body", `${ok("Content-Length: 256")}${EVERY_BYTE}`, { body: EVERY_BYTE }),
  kept("56 every byte in a chunk", `${ok("Transfer-Encoding: chunked")}100\r\n${EVERY_BYTE}\r\n0\r\n\r\n`, {
    body: EVERY_BYTE,
  }),
  kept(
    "40 Keep-Alive of a server that Connection does not name",
    `${ok("Keep-Alive: timeout=77", "Content-Length: 1")}a`,
    {
      body: "a",
      fields: { "keep-alive": [] },
    },
  ),
  kept("59 a reason in latin1", "HTTP/1.1 200 \xc4\x8d\xc4\x8a\r\nContent-Length: 1\r\n\r\na", { body: "a" }),
  kept(
    "59 a reason that looks like a field",
    "HTTP/1.1 200 A: b HTTP/1.1 404\r\nContent-Length: 1\r\n\r\na",
    {
      body: "a",
      fields: { "200 a": [] },
    },
  ),
  ...MISLEADING.map((line): ResponseCase => ({
    name: `34 a server's trailer ${line}`,
    respond: `${ok("Transfer-Encoding: chunked")}1\r\na\r\n0\r\n${line}\r\n\r\n`,
    request: get("TE: trailers", "Connection: TE"),
    client: [{ body: "a", trailers: {} }],
    server: "kept",
  })),
];
