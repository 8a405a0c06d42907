import {
  chunked,
  get,
  head,
  passed,
  refused,
  refusedBody,
  type RequestCase,
  type ResponseCase,
} from "../case.ts";

const post = (...lines: readonly string[]): string => head("POST / HTTP/1.1", "Host: a", ...lines);

/** What clients did to other proxies and servers, by its number. */
export const clientFaults: readonly RequestCase[] = [
  refused(
    "CVE-2018-7159 (Node.js) a space within Content-Length",
    `${post("Content-Length: 1 2")}a`,
    "400 bad_content_length",
  ),
  refused(
    "CVE-2019-15605 (Node.js) a malformed Transfer-Encoding is believed",
    `${post("Transfer-Encoding: chunked, identity")}0\r\n\r\n`,
    "400 bad_transfer_encoding",
  ),
  refused(
    "CVE-2020-8287 (Node.js) a second Transfer-Encoding is overlooked",
    `${post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked-false")}1\r\nA\r\n0\r\n\r\n`,
    "400 bad_transfer_encoding",
  ),
  refused(
    "CVE-2022-32213 (llhttp) Transfer-Encoding: chunked, in part",
    `${post("Transfer-Encoding: chunkedchunked")}0\r\n\r\n`,
    "400 bad_transfer_encoding",
  ),
  refused(
    "CVE-2022-32215 (llhttp) a folded Transfer-Encoding",
    `${post("Transfer-Encoding: chunked", " , identity")}0\r\n\r\n`,
    "400 folded_line",
  ),
  refused(
    "CVE-2022-32214 (llhttp) LF ends a line",
    "GET / HTTP/1.1\r\nHost: a\nX:y\r\n\r\n",
    "400 bad_line_end",
  ),
  refused(
    "CVE-2022-35256 (llhttp) CR ends a line",
    "GET / HTTP/1.1\r\nHost: a\r\nX:y\rContent-Length: 5\r\n\r\n",
    "400 bad_line_end",
  ),
  refused(
    "CVE-2023-30589 (llhttp) CR alone parts fields",
    "POST / HTTP/1.1\r\nHost: a\r\nX-Abc:\rxTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n",
    "400 bad_line_end",
  ),
  refused(
    "CVE-2020-8201 (Node.js) CR is taken for a hyphen",
    `${post("Content\rLength: 5")}abcde`,
    "400 bad_field_name",
  ),
  refused(
    "CVE-2021-22959 (llhttp) a space before the colon",
    `${post("Content-Length : 5")}abcde`,
    "400 bad_field_name",
  ),
  refusedBody(
    "CVE-2021-22960 (llhttp) LF within a chunk extension",
    chunked("2;\n\r\nab\r\n0\r\n\r\n"),
    "400 bad_chunk_extension",
  ),
  refused(
    "CVE-2024-27982 (Node.js) a space hides Content-Length",
    `POST / HTTP/1.1\r\nHost: a\r\n Content-Length: 5\r\n\r\nabcde`,
    "400 folded_line",
  ),
  refused(
    "CVE-2025-23167 (Node.js 20) CRLF CR X ends the head",
    "GET / HTTP/1.1\r\nHost: a\r\n\rX",
    "400 bad_line_end",
  ),
  refusedBody(
    "CVE-2024-22019 (Node.js) a chunk extension without bound",
    chunked(`1;a=${"b".repeat(20_000)}`),
    "400 chunk_extensions_too_large",
  ),
  refusedBody(
    "CVE-2023-39326 (Go) extensions many times the data",
    chunked(`${`1;a=${"b".repeat(100)}\r\nc\r\n`.repeat(50)}0\r\n\r\n`),
    "400 chunk_extensions_too_large",
  ),
  refusedBody(
    "CVE-2026-33555 (HAProxy) a chunk size line without end",
    chunked("0".repeat(20_000)),
    "400 bad_chunk_size",
  ),
  refused(
    "CVE-2018-12121 (Node.js) a head without end",
    `GET / HTTP/1.1\r\nHost: a\r\n${"A: b\r\n".repeat(5000)}`,
    "431 too_many_fields",
  ),
  refused("CVE-2018-12116 (Node.js) CRLF in the path", "GET /a\r\nX: y\r\nHost: a\r\n\r\n", "400 bad_target"),
  refused(
    "CVE-2016-5325 (Node.js) bytes that become CRLF when cut to latin1",
    head("GET /\xc4\x8d\xc4\x8aX HTTP/1.1", "Host: a"),
    "400 bad_target",
  ),
  passed("CVE-2026-21710 (Node.js) a field __proto__", get("__proto__: a", "__proto__: b"), {
    start: "GET /",
    fields: { ["__proto__"]: ["a", "b"] },
  }),
  refused(
    "CVE-2026-1525 (undici) two lengths in case variants",
    `${post("Content-Length: 1", "CONTENT-LENGTH: 5")}abcde`,
    "400 two_lengths",
  ),
  refused("CVE-2023-23936 (undici) CRLF in Host", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "400 bad_line_end"),
  passed(
    "CVE-2026-1527 (undici) CRLF by way of Upgrade",
    get("Connection: Upgrade", "Upgrade: websocket\xe5\x98\x8d"),
    { start: "GET /", fields: { upgrade: [] } },
  ),
  passed("CVE-2022-35949 (undici) //host is no authority", head("GET //evil.test/a HTTP/1.1", "Host: a"), {
    start: "GET //evil.test/a",
    fields: { host: "a" },
  }),
  refused(
    "CVE-2022-35949 (undici) neither is \\\\host",
    head("GET \\\\evil.test/a HTTP/1.1", "Host: a"),
    "400 bad_target",
  ),
  refused(
    "CVE-2022-35949 (undici) nor /\\host",
    head("GET /\\evil.test/a HTTP/1.1", "Host: a"),
    "400 bad_path",
  ),
  passed(
    "GHSA-6x33-pw7p-hmpq (http-proxy) a long body, and fields to set",
    `${post("Content-Length: 70000")}${"x".repeat(70_000)}`,
    { start: "POST /", body: "x".repeat(70_000) },
  ),
  passed("http-proxy#964 Trailer in GET", get("Trailer: X-A"), { start: "GET /", fields: { trailer: [] } }),
  passed(
    "CVE-2025-32996 (http-proxy-middleware) the body is sent once",
    `${post("Content-Length: 3")}abc${get()}`,
    { start: "POST /", body: "abc" },
    { start: "GET /" },
  ),
  refused(
    "CVE-2025-32997 (http-proxy-middleware) nothing is sent after a parse error",
    `${post("Content-Length: 3", "X : y")}abc`,
    "400 bad_field_name",
  ),
  passed(
    "CVE-2026-55602 (http-proxy-middleware) a Host that only contains another",
    head("GET / HTTP/1.1", "Host: plain.test.evil", "Connection: Upgrade", "Upgrade: websocket"),
    { start: "GET /", fields: { host: "plain.test.evil", upgrade: "websocket" } },
  ),
  refused(
    "CVE-2021-21322 (reply-from) dots escape a prefix",
    head("GET /api/../../x HTTP/1.1", "Host: a"),
    "400 bad_path",
  ),
  passed(
    "CVE-2023-51701 (reply-from) an odd Content-Type passes as it is",
    `${post("Content-Type: application/json ; charset=utf-8\t", "Content-Length: 2")}{}`,
    { start: "POST /", body: "{}", fields: { "content-type": "application/json ; charset=utf-8" } },
  ),
  passed(
    "CVE-2025-66415 (reply-from) a crafted URL stays below its host",
    head("GET /?/../\\@evil.test HTTP/1.1", "Host: a"),
    { start: "GET /?/../\\@evil.test", fields: { host: "a" } },
  ),
  passed(
    "CVE-2026-33805 (reply-from) Connection names what the proxy adds",
    get("Connection: close, X-Forwarded-For, X-Real-Ip, Authorization", "Authorization: x").replace(
      "close, ",
      "",
    ),
    { start: "GET /", fields: { "x-forwarded-for": "127.0.0.1", authorization: "x" } },
  ),
  refused(
    "CVE-2026-15631 (http-proxy) dots on the way to a WebSocket",
    head("GET /ws/..%2f..%2fadmin HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: websocket"),
    "400 bad_path",
  ),
  passed(
    "CVE-2026-44578 (next) an absolute target on the way to a WebSocket",
    head("GET http://b/ws/../x HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: websocket"),
    { start: "GET /x", fields: { host: "b", upgrade: "websocket" } },
  ),
  passed(
    "CVE-2026-3635 (fastify) X-Forwarded-* of a stranger",
    get("X-Forwarded-Proto: https", "X-Forwarded-Host: evil"),
    { start: "GET /", fields: { "x-forwarded-proto": "http", "x-forwarded-host": "a" } },
  ),
  passed(
    "CVE-2024-37890 (ws) more fields than a server counts",
    get("Connection: Upgrade", "Upgrade: websocket", ...Array.from({ length: 90 }, (_, i) => `X-${i}: y`)),
    { start: "GET /", fields: { upgrade: "websocket" } },
  ),
  passed(
    "CVE-2021-32640 (ws) a Sec-WebSocket-Protocol full of spaces",
    get("Connection: Upgrade", "Upgrade: websocket", `Sec-WebSocket-Protocol: a${" ".repeat(5000)}b`),
    { start: "GET /", fields: { upgrade: "websocket" } },
  ),
  refused(
    "CVE-2021-40346 (HAProxy) a name longer than 255 bytes",
    get(`Content-Length0${"a".repeat(255)}: `, "Content-Length: 5", "Content-Length: 6"),
    "400 two_lengths",
  ),
  refused(
    "CVE-2023-25725 (HAProxy) an empty name cuts the list",
    get(": a", "Content-Length: 5"),
    "400 bad_field_name",
  ),
  refused(
    "CVE-2023-40225 (HAProxy) an empty Content-Length",
    `${post("Content-Length: ")}abcde`,
    "400 bad_content_length",
  ),
  refused(
    "CVE-2023-40225 (HAProxy) an empty and another Content-Length",
    `${post("Content-Length:", "Content-Length: 5")}abcde`,
    "400 bad_content_length",
  ),
  refused(
    "CVE-2023-45539 (HAProxy) # in the target",
    head("GET /index.html#.png HTTP/1.1", "Host: a"),
    "400 bad_target",
  ),
  refused(
    "CVE-2021-41773 (Apache httpd) an encoded climb",
    head("GET /cgi-bin/.%2e/.%2e/.%2e/etc/passwd HTTP/1.1", "Host: a"),
    "400 bad_path",
  ),
  refused(
    "Tomcat ..; (path parameters hide dots)",
    head("GET /app/..;/manager/html HTTP/1.1", "Host: a"),
    "400 bad_path",
  ),
  refusedBody(
    "TERM.EXT (chunk line ended by LF, extension before)",
    chunked("2;a\nxx\r\n0\r\n\r\n"),
    "400 bad_chunk_extension",
  ),
  refusedBody(
    "EXT.TERM (LF hides a chunk in an extension)",
    chunked("5;\n0\r\n\r\nabc\r\n0\r\n\r\n"),
    "400 bad_chunk_extension",
  ),
  refusedBody(
    "SPILL (two bytes after the data are skipped unseen)",
    chunked("5\r\nAAAAAXX0\r\n\r\n"),
    "400 bad_chunk_end",
  ),
  refused(
    "CL.0 (GET with a length that is overlooked)",
    head("GET / HTTP/1.1", "Host: a", "Content-Length: x"),
    "400 bad_content_length",
  ),
  passed(
    "0.CL (a server that overlooks the length gets a whole message all the same)",
    `${head("GET / HTTP/1.1", "Host: a", "Content-Length: 44")}${get().padEnd(44, "x")}`,
    { start: "GET /", body: get().padEnd(44, "x") },
  ),
  refused(
    "TE.TE (a coding that only one side knows)",
    `${post("Transfer-Encoding: chunked", "Transfer-encoding: x")}5c\r\n`,
    "400 bad_transfer_encoding",
  ),
  refused(
    "CL.TE (length for the front, chunks for the back)",
    `${post("Content-Length: 6", "Transfer-Encoding: chunked")}0\r\n\r\nG`,
    "400 length_and_coding",
  ),
  refused(
    "TE.CL (chunks for the front, length for the back)",
    `${post("Transfer-Encoding: chunked", "Content-Length: 4")}5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n`,
    "400 length_and_coding",
  ),
  passed(
    "H2.CL by Upgrade: h2c smuggling (Bishop Fox)",
    get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
    { start: "GET /", fields: { upgrade: [], "http2-settings": [] } },
  ),
  passed("CVE-2016-5385 (httpoxy) Proxy becomes HTTP_PROXY", get("proxy: http://evil/"), {
    start: "GET /",
    fields: { proxy: [] },
  }),
  passed(
    "Range of a thousand parts (CVE-2011-3192) is the server's to judge",
    get(`Range: bytes=${"0-,".repeat(1000)}1-`),
    { start: "GET /" },
  ),
];

const ok = (...lines: readonly string[]): string => head("HTTP/1.1 200 OK", ...lines);

/** What servers did to other proxies. */
export const serverFaults: readonly ResponseCase[] = [
  {
    name: "CVE-2026-48931 (Node.js) an unsolicited response waits for the next request",
    respond: `${ok("Content-Length: 1")}aHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
    client: [{ status: 200, body: "a" }],
    server: "closed",
    surplus: true,
  },
  {
    name: "CVE-2026-6733 (undici) a response queue is poisoned at the end of keep-alive",
    respond: `${ok("Content-Length: 1")}a`,
    ends: "fin",
    client: [{ status: 200, body: "a" }],
    server: "closed",
    surplus: true,
  },
  {
    name: "CVE-2026-16728 (undici) another Content-Length at a retry",
    respond: `${ok("Content-Length: 5")}abc`,
    ends: "reset",
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "CVE-2016-2216 (Node.js) bytes in a value that become CRLF",
    respond: `${ok("Content-Length: 1", "Location: /\xc4\x8d\xc4\x8aSet-Cookie: x")}a`,
    client: [
      { status: 200, body: "a", fields: { "set-cookie": [], location: "/\xc4\x8d\xc4\x8aSet-Cookie: x" } },
    ],
    server: "kept",
  },
  {
    name: "http-proxy#1647 an invalid field of a server ends the process",
    respond: `${ok("Content-Length: 1", "X: a\x01b")}a`,
    client: ["502 bad_response"],
    server: "closed",
  },
  {
    name: "CVE-2024-21536 (http-proxy-middleware) an unhandled rejection",
    respond: "\0",
    ends: "reset",
    client: ["502 bad_response"],
    server: "closed",
  },
  {
    name: "CVE-2020-11080-like: 1xx heads without end",
    respond: head("HTTP/1.1 100 Continue").repeat(20),
    client: ["502 bad_response"],
    server: "closed",
  },
  {
    name: "CVE-2022-31813-like: a server's Connection strips what the client relies on",
    respond: `${ok("Content-Length: 1", "Connection: Set-Cookie, WWW-Authenticate-Info", "Set-Cookie: a=b")}a`,
    client: [{ status: 200, fields: { "set-cookie": "a=b" } }],
    server: "kept",
  },
];
