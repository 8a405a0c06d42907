import { get, head, passed, refused, type Expected, type RequestCase } from "../case.ts";

const GET: Expected = { start: "GET /" };
const OPTIONS = (...lines: readonly string[]): string => head("OPTIONS / HTTP/1.1", "Host: a", ...lines);
const HOP = ["Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "TE: trailers", "Upgrade: foo"];
const WS = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: eA==",
  "Sec-WebSocket-Version: 13",
];
const trusted = (wanted: RequestCase): RequestCase => ({ ...wanted, trusted: true });
const closing = (wanted: RequestCase): RequestCase => ({ ...wanted, closes: true });
const own = (name: string, send: string, expected: Expected): RequestCase => ({
  name,
  send,
  client: [expected],
});
const PROXY_FIELDS = [
  "X-Forwarded-For: 6.6.6.6",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: evil",
  "X-Forwarded-Port: 443",
  "X-Forwarded-Prefix: /evil",
  "X-Forwarded-Server: evil",
  "X-Forwarded-Ssl: on",
  "X-Forwarded-Scheme: https",
  "X-Real-IP: 6.6.6.6",
  "Forwarded: for=6.6.6.6",
];

export const forwardingCases: readonly RequestCase[] = [
  passed("39 a named field goes", get("Connection: X-Own", "X-Own: 1", "X-Other: 2"), {
    ...GET,
    fields: { connection: [], "x-own": [], "x-other": "2" },
  }),
  passed(
    "39 named fields go, wherever they stand",
    get("x-a: 1", "Connection: X-A,, X-b ,", "X-B: 2", "X-A: 3"),
    {
      ...GET,
      fields: { "x-a": [], "x-b": [] },
    },
  ),
  passed("39 two Connection lines", get("Connection: X-A", "connection: X-B", "X-A: 1", "X-B: 2"), {
    ...GET,
    fields: { "x-a": [], "x-b": [], connection: [] },
  }),
  passed("39 a name that is not there", get("Connection: X-Nobody"), GET),
  refused("39 Connection that is no list of tokens", get("Connection: a b"), "400 bad_connection"),
  refused("39 a quoted option", get('Connection: "close"'), "400 bad_connection"),
  refused(
    "39 Connection with a thousand names",
    get(`Connection: ${"a,".repeat(1000)}`),
    "400 bad_connection",
  ),
  passed("40 hop-by-hop fields go unnamed", get(...HOP), {
    ...GET,
    fields: { "keep-alive": [], "proxy-connection": [], te: [], upgrade: [] },
  }),
  passed("40 TE goes when named", get("Connection: TE", "TE: trailers, deflate;q=0.5"), {
    ...GET,
    fields: { te: [] },
  }),
  passed(
    "41 what we add or rely on cannot be named away",
    get(
      "Connection: Host, Content-Length, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Request-Id, Via, Authorization, Cookie, Forwarded",
      "Authorization: b",
      "Cookie: c",
    ),
    {
      ...GET,
      fields: {
        host: "a",
        authorization: "b",
        cookie: "c",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        via: "1.1 halftone-test",
      },
    },
  ),
  passed(
    "41 Connection: Content-Length does not change framing",
    `${head("POST / HTTP/1.1", "Host: a", "Connection: Content-Length", "Content-Length: 3")}abc`,
    {
      start: "POST /",
      body: "abc",
    },
  ),
  passed(
    "41 Connection: Transfer-Encoding neither",
    `${head("POST / HTTP/1.1", "Host: a", "Connection: Transfer-Encoding", "Transfer-Encoding: chunked")}1\r\na\r\n0\r\n\r\n`,
    {
      start: "POST /",
      body: "a",
    },
  ),
  passed("42 Via is added", get(), { ...GET, fields: { via: "1.1 halftone-test" } }),
  passed("42 Via is added to those before", get("Via: 1.0 fred", "via: 1.1 b (c)"), {
    ...GET,
    fields: { via: ["1.0 fred", "1.1 b (c)", "1.1 halftone-test"] },
  }),
  ...[
    "1.1 halftone-test",
    "1.0 a, 1.1 halftone-test",
    "HTTP/1.1 Halftone-Test (x, y)",
    "1.1 a (b,c), 1.1 halftone-test:80",
  ].map((via) => own(`42 a loop: ${via}`, get(`Via: ${via}`), { status: 508, code: "loop_detected" })),
  own("42 a loop on the second line", get("Via: 1.1 a", "Via: 1.1 halftone-test"), {
    status: 508,
    code: "loop_detected",
  }),
  ...[
    "1.1 halftone-test2",
    "1.1 x (halftone-test)",
    "1.1 x (a, 1.1 halftone-test)",
    "halftone-test",
    "1.1 ahalftone-test",
  ].map((via) => passed(`42 no loop: ${via}`, get(`Via: ${via}`), GET)),
  own("43 Max-Forwards 0 is answered here", OPTIONS("Max-Forwards: 0"), {
    status: 200,
    body: "",
    fields: { "content-length": "0", "content-type": [] },
  }),
  own("43 Max-Forwards 0 of OPTIONS *", head("OPTIONS * HTTP/1.1", "Host: a", "Max-Forwards: 00"), {
    status: 200,
    body: "",
  }),
  passed("43 Max-Forwards is lowered", OPTIONS("Max-Forwards: 10"), {
    start: "OPTIONS /",
    fields: { "max-forwards": "9" },
  }),
  passed("43 Max-Forwards 1", OPTIONS("max-forwards: 1"), {
    start: "OPTIONS /",
    fields: { "max-forwards": "0" },
  }),
  passed("43 Max-Forwards beyond all numbers", OPTIONS(`Max-Forwards: ${"9".repeat(30)}`), {
    start: "OPTIONS /",
    fields: { "max-forwards": "9007199254740990" },
  }),
  ...["", "-1", "1.5", "x", "0x1", "1, 1"].map((value) =>
    refused(`43 Max-Forwards: ${value}`, OPTIONS(`Max-Forwards: ${value}`), "400 bad_max_forwards"),
  ),
  refused("43 two of them", OPTIONS("Max-Forwards: 1", "Max-Forwards: 0"), "400 bad_max_forwards"),
  passed("43 of GET is not ours", get("Max-Forwards: 0"), { ...GET, fields: { "max-forwards": "0" } }),
  passed("44 a stranger's word for itself goes", get(...PROXY_FIELDS), {
    ...GET,
    fields: {
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "a",
      "x-forwarded-port": [],
      "x-forwarded-prefix": [],
      "x-forwarded-server": [],
      "x-forwarded-ssl": [],
      "x-forwarded-scheme": [],
      "x-real-ip": [],
      forwarded: 'for=127.0.0.1;host="a";proto=http',
    },
  }),
  passed("44 several lines of it too", get("X-Forwarded-For: 1.1.1.1", "x-forwarded-for: 2.2.2.2"), {
    ...GET,
    fields: { "x-forwarded-for": "127.0.0.1" },
  }),
  trusted(
    passed("44 a trusted proxy's word stays", get(...PROXY_FIELDS), {
      ...GET,
      fields: {
        "x-forwarded-for": "6.6.6.6, 127.0.0.9",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil",
        "x-forwarded-port": "443",
        "x-real-ip": "6.6.6.6",
        forwarded: 'for=6.6.6.6, for=127.0.0.9;host="a";proto=http',
      },
    }),
  ),
  trusted(
    passed(
      "44 Forwarded becomes X-Forwarded-For too",
      get('Forwarded: for="[2001:db8::1]:80";proto=https', 'Forwarded: for=_x, for="1.2.3.4:9"'),
      {
        ...GET,
        fields: {
          "x-forwarded-for": "2001:db8::1, unknown, 1.2.3.4, 127.0.0.9",
          forwarded:
            'for="[2001:db8::1]:80";proto=https, for=_x, for="1.2.3.4:9", for=127.0.0.9;host="a";proto=http',
        },
      },
    ),
  ),
  trusted(
    passed("44 a malformed Forwarded goes", get('Forwarded: for="1.2.3.4'), {
      ...GET,
      fields: { "x-forwarded-for": "127.0.0.9", forwarded: 'for=127.0.0.9;host="a";proto=http' },
    }),
  ),
  trusted(
    passed("44 and the other way round", get("X-Forwarded-For: [::1]:80, nonsense,1.2.3.4:567"), {
      ...GET,
      fields: { forwarded: 'for="[::1]", for=unknown, for=1.2.3.4, for=127.0.0.9;host="a";proto=http' },
    }),
  ),
  passed("44 an absolute target's host is the forwarded one", head("GET http://b:8/ HTTP/1.1", "Host: a"), {
    ...GET,
    fields: { "x-forwarded-host": "b:8", forwarded: 'for=127.0.0.1;host="b:8";proto=http' },
  }),
  passed("44 Proxy goes (httpoxy)", get("Proxy: http://evil/", "PROXY: x"), {
    ...GET,
    fields: { proxy: [] },
  }),
  trusted(
    passed("44 Proxy goes from anybody", get("Proxy: http://evil/"), { ...GET, fields: { proxy: [] } }),
  ),
  passed("44 X-Halftone-* of a client goes", get("X-Halftone-Group: g", "X-Halftone-Error: e"), {
    ...GET,
    fields: { "x-halftone-group": [], "x-halftone-error": [] },
  }),
  trusted(
    passed("44 a trusted proxy's request id stays", get("X-Request-Id: abc-1"), {
      ...GET,
      fields: { "x-request-id": "abc-1" },
    }),
  ),
  refused("45 TRACE", head("TRACE / HTTP/1.1", "Host: a"), "405 method_not_allowed"),
  refused(
    "45 TRACE with Max-Forwards",
    head("TRACE / HTTP/1.1", "Host: a", "Max-Forwards: 0"),
    "405 method_not_allowed",
  ),
  refused("45 CONNECT", head("CONNECT b:443 HTTP/1.1", "Host: b:443"), "405 method_not_allowed"),
  refused("45 CONNECT of a path", head("CONNECT / HTTP/1.1", "Host: b"), "405 method_not_allowed"),
  refused(
    "45 CONNECT with a length",
    head("CONNECT b:443 HTTP/1.1", "Host: b", "Content-Length: 0"),
    "405 method_not_allowed",
  ),
  closing(
    own("45 405 says what is allowed", head("TRACE / HTTP/1.1", "Host: a"), {
      status: 405,
      code: "method_not_allowed",
      fields: {
        allow:
          "GET, POST, HEAD, PUT, DELETE, PATCH, OPTIONS, ACL, BASELINE-CONTROL, BIND, CHECKIN, CHECKOUT, COPY, LABEL, LINK, LOCK, MERGE, MKACTIVITY, MKCALENDAR, MKCOL, MKREDIRECTREF, MKWORKSPACE, MOVE, ORDERPATCH, PROPFIND, PROPPATCH, QUERY, REBIND, REPORT, SEARCH, UNBIND, UNCHECKOUT, UNLINK, UNLOCK, UPDATE, UPDATEREDIRECTREF, VERSION-CONTROL, M-SEARCH, NOTIFY, PURGE, SOURCE, SUBSCRIBE, UNSUBSCRIBE",
      },
    }),
  ),
  passed("46 a WebSocket's wish is passed on", get(...WS), {
    ...GET,
    fields: { connection: "Upgrade", upgrade: "websocket" },
  }),
  passed("46 in odd case", get("connection: keep-alive, upgrade", "upgrade: WebSocket"), {
    ...GET,
    fields: { upgrade: "websocket" },
  }),
  {
    ...passed("46 not from HTTP/1.0", head("GET / HTTP/1.0", ...WS), {
      ...GET,
      fields: { connection: [], upgrade: [] },
    }),
    http10: true,
    closes: true,
  },
  passed(
    "46 not h2c",
    get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
    {
      ...GET,
      fields: { connection: [], upgrade: [], "http2-settings": [] },
    },
  ),
  passed("46 not h2c among others", get("Connection: Upgrade", "Upgrade: websocket, h2c"), {
    ...GET,
    fields: { upgrade: [] },
  }),
  passed("46 not on two lines", get("Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c"), {
    ...GET,
    fields: { upgrade: [] },
  }),
  passed("46 not what the app does not name", get("Connection: Upgrade", "Upgrade: TLS/1.0"), {
    ...GET,
    fields: { upgrade: [] },
  }),
  passed("46 not without Connection", get("Upgrade: websocket"), { ...GET, fields: { upgrade: [] } }),
  passed("46 not without Upgrade", get("Connection: Upgrade"), { ...GET, fields: { connection: [] } }),
  passed("46 not with a body", `${head("GET / HTTP/1.1", "Host: a", ...WS, "Content-Length: 1")}x`, {
    ...GET,
    fields: { upgrade: [] },
  }),
  passed("46 not in POST", head("POST / HTTP/1.1", "Host: a", ...WS), {
    start: "POST /",
    fields: { upgrade: [] },
  }),
  passed(
    "46 what the app names",
    head("GET / HTTP/1.1", "Host: tunnel.test", "Connection: Upgrade", "Upgrade: X-Own/2"),
    {
      ...GET,
      fields: { connection: "Upgrade", upgrade: "x-own/2" },
    },
  ),
  passed("46 and nothing else", head("GET / HTTP/1.1", "Host: tunnel.test", ...WS), {
    ...GET,
    fields: { upgrade: [] },
  }),
  passed("46 nothing where the app wants none", head("GET / HTTP/1.1", "Host: plain.test", ...WS), {
    ...GET,
    fields: { upgrade: [] },
  }),
  passed(
    "49 Expect goes with the head",
    `${head("POST / HTTP/1.1", "Host: a", "Expect: 100-Continue", "Content-Length: 1")}x`,
    {
      start: "POST /",
      body: "x",
      fields: { expect: "100-continue" },
    },
  ),
  passed("49 Expect without a body is void", get("Expect: 100-continue"), { ...GET, fields: { expect: [] } }),
  {
    ...passed(
      "49 Expect in HTTP/1.0 is void",
      `${head("POST / HTTP/1.0", "Expect: 100-continue", "Content-Length: 1")}x`,
      {
        start: "POST /",
        body: "x",
        fields: { expect: [] },
      },
    ),
    http10: true,
    closes: true,
  },
  ...["200-ok", "100-continue, x", "", "100-continue;a=b", "100"].map((value) =>
    refused(`49 Expect: ${value}`, get(`Expect: ${value}`), "417 expectation_failed"),
  ),
  {
    name: "51 pipelined requests are answered in their order",
    send:
      get() +
      head("HEAD /2 HTTP/1.1", "Host: a") +
      `${head("POST /3 HTTP/1.1", "Host: a", "Content-Length: 3")}abc` +
      head("GET /4 HTTP/1.1", "Host: a"),
    server: [GET, { start: "HEAD /2" }, { start: "POST /3", body: "abc" }, { start: "GET /4" }],
    client: [
      { body: "GET / 0 a" },
      { status: 200, bodiless: true },
      { body: "POST /3 3 a" },
      { body: "GET /4 0 a" },
    ],
  },
  {
    name: "52 nothing after Connection: close",
    send: get("Connection: close") + get() + get(),
    server: [GET],
    client: [{ status: 200, fields: { connection: "close" } }],
    closes: true,
  },
  {
    name: "52 close among other options",
    send: get("Connection: keep-alive, Close") + get(),
    server: [GET],
    client: [{ status: 200, fields: { connection: "close" } }],
    closes: true,
  },
  {
    name: "53 HTTP/1.0 is not kept unless it asks",
    send: head("GET / HTTP/1.0") + get(),
    server: [GET],
    client: [{ status: 200, fields: { connection: "close" } }],
    closes: true,
    http10: true,
  },
  {
    name: "53 HTTP/1.0 is kept when it asks",
    send: head("GET / HTTP/1.0", "Connection: Keep-Alive").repeat(2),
    server: [GET, GET],
    client: [{ status: 200, fields: { connection: "keep-alive" } }, { status: 200 }],
    http10: true,
  },
];
