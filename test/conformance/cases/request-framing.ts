import {
  chunked,
  get,
  head,
  passed,
  refused,
  refusedBody,
  type Expected,
  type RequestCase,
} from "../case.ts";

const post = (...lines: readonly string[]): string => head("POST / HTTP/1.1", "Host: a", ...lines);
const length = (value: string): string => post(`Content-Length: ${value}`);
const coding = (value: string): string => post(`Transfer-Encoding: ${value}`);
const POST: Expected = { start: "POST /", body: "" };
const GET: Expected = { start: "GET /" };
const CHUNKED = "Transfer-Encoding: chunked";

const BAD_CODINGS = [
  "",
  "xchunked",
  "chunkedx",
  "chunked;a=b",
  "chunked, gzip",
  "gzip",
  "identity",
  "chunked, identity",
];
const MORE_CODINGS = [
  "chunked,",
  ",chunked",
  "chunked, chunked",
  '"chunked"',
  "chunked chunked",
  "cow",
  "\xe9chunked",
  "chunked;",
];
const BAD_LENGTHS = [
  "",
  "+5",
  "-5",
  "-0",
  "0x5",
  "5 5",
  "1 2",
  "5, 5",
  "5,6",
  "5,",
  ",5",
  "5_0",
  "5.0",
  "1e1",
  "5;",
  "\xb2",
];
const MORE_LENGTHS = ['"5"', "a", "0b1", "0o7", "5\t5", "5\xa0", "Infinity", "NaN", "null", "5/5", "(5)"];
const HUGE = [
  "9007199254740992",
  "18446744073709551616",
  "18446744073709551621",
  "4294967296000000005",
  "9".repeat(400),
];
const BAD_SIZES = [
  "",
  " 5",
  "5 ",
  "\t5",
  "0x5",
  "+5",
  "-5",
  "g",
  "5g",
  "5.",
  "5,5",
  "5_",
  "1 0",
  "\xb2",
  "0x",
  "5\0",
  "\x005",
];

export const requestFramingCases: readonly RequestCase[] = [
  refused("25 both, length first", post("Content-Length: 5", CHUNKED), "400 length_and_coding"),
  refused("25 both, coding first", post(CHUNKED, "Content-Length: 5"), "400 length_and_coding"),
  refused("25 both, length zero", `${post(CHUNKED, "Content-Length: 0")}0\r\n\r\n`, "400 length_and_coding"),
  refused(
    "25 both, in odd case",
    post("tRANSFER-eNCODING: CHUNKED", "cONTENT-lENGTH: 6"),
    "400 length_and_coding",
  ),
  refused("25 both, far apart", post("Content-Length: 5", "A: b", "C: d", CHUNKED), "400 length_and_coding"),
  refused("25 both, length refused on its own", post("Content-Length: x", CHUNKED), "400 bad_content_length"),
  refused(
    "25 both, coding refused on its own",
    post("Content-Length: 5", "Transfer-Encoding: cow"),
    "400 bad_transfer_encoding",
  ),
  refused("25 both in GET", get("Content-Length: 5", CHUNKED), "400 length_and_coding"),
  refused(
    "25 both in HTTP/1.0",
    head("POST / HTTP/1.0", "Content-Length: 5", CHUNKED),
    "400 length_and_coding",
  ),
  ...[...BAD_CODINGS, ...MORE_CODINGS].map((value) =>
    refused(`26 Transfer-Encoding: ${JSON.stringify(value)}`, coding(value), "400 bad_transfer_encoding"),
  ),
  ...["gzip, chunked", "deflate,chunked", "x;q=1, chunked", "br, gzip, chunked", "identity, chunked"].map(
    (value) => refused(`26 Transfer-Encoding: ${value}`, coding(value), "501 unknown_transfer_coding"),
  ),
  refused("26 a control before chunked", coding("\vchunked"), "400 bad_field_value"),
  refused("26 a form feed after chunked", coding("chunked\f"), "400 bad_field_value"),
  refused("26 a CR after chunked", coding("chunked\r"), "400 bad_line_end"),
  refused("26 chunked on two lines", post(CHUNKED, CHUNKED), "400 bad_transfer_encoding"),
  refused(
    "26 chunked, then another",
    post(CHUNKED, "Transfer-Encoding: identity"),
    "400 bad_transfer_encoding",
  ),
  refused(
    "26 another, then chunked",
    post("Transfer-Encoding: identity", CHUNKED),
    "400 bad_transfer_encoding",
  ),
  refused("26 an empty one beside chunked", post("Transfer-Encoding:", CHUNKED), "400 bad_transfer_encoding"),
  passed("26 CHUNKED in capitals", `${coding("CHUNKED")}1\r\na\r\n0\r\n\r\n`, { start: "POST /", body: "a" }),
  passed("26 chunked between tabs", `${coding("\tchunked\t")}1\r\na\r\n0\r\n\r\n`, {
    start: "POST /",
    body: "a",
  }),
  refused(
    "27 chunked in HTTP/1.0",
    `${head("POST / HTTP/1.0", "Host: a", CHUNKED)}0\r\n\r\n`,
    "400 coding_in_http_1_0",
  ),
  refused(
    "27 chunked in a kept HTTP/1.0",
    head("POST / HTTP/1.0", CHUNKED, "Connection: keep-alive"),
    "400 coding_in_http_1_0",
  ),
  ...[...BAD_LENGTHS, ...MORE_LENGTHS].map((value) =>
    refused(`28 Content-Length: ${JSON.stringify(value)}`, length(value), "400 bad_content_length"),
  ),
  refused("28 NUL after the length", length("5\0"), "400 bad_field_value"),
  passed("28 leading zeros", `${length("005")}abcde`, {
    start: "POST /",
    body: "abcde",
    fields: { "content-length": "5" },
  }),
  passed("28 white space around it", `${length(" \t5\t ")}abcde`, { start: "POST /", body: "abcde" }),
  passed("28 zero", length("0"), { ...POST, fields: { "content-length": "0" } }),
  refused("29 equal lengths", `${post("Content-Length: 1", "Content-Length: 1")}a`, "400 two_lengths"),
  refused("29 different lengths", `${post("Content-Length: 1", "content-length: 2")}a`, "400 two_lengths"),
  refused(
    "29 a zero beside a length",
    `${post("Content-Length: 0", "Content-Length: 5")}abcde`,
    "400 two_lengths",
  ),
  refused("29 an equal list", length("1, 1"), "400 bad_content_length"),
  ...HUGE.map((value) => refused(`30 ${value.slice(0, 30)}`, length(value), "413 content_length_too_large")),
  refused("30 beyond the limit for bodies", length("1000001"), "413 body_too_large"),
  refused("30 the largest number", length("9007199254740991"), "413 body_too_large"),
  ...BAD_SIZES.map((size) =>
    refusedBody(
      `31 chunk size ${JSON.stringify(size)}`,
      chunked(`${size}\r\nabcde\r\n0\r\n\r\n`),
      "400 bad_chunk_size",
    ),
  ),
  ...["20000000000000", "8000000000000000", "ffffffffffffffff", "10000000000000005", "0".repeat(17)].map(
    (size) =>
      refusedBody(`31 chunk size ${size}`, chunked(`${size}\r\nabcde\r\n0\r\n\r\n`), "400 bad_chunk_size"),
  ),
  refusedBody("31 a bad size after a good chunk", chunked("1\r\na\r\nx\r\n"), "400 bad_chunk_size"),
  passed("31 sizes in both cases", chunked(`A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n`), {
    start: "POST /",
    body: "01234567890123456789",
  }),
  passed("31 sixteen digits", chunked(`${"0".repeat(15)}1\r\na\r\n${"0".repeat(16)}\r\n\r\n`), {
    start: "POST /",
    body: "a",
  }),
  passed("31 no chunk at all", chunked("0\r\n\r\n"), POST),
  passed("31 data that looks like chunks", chunked("5\r\n0\r\n\r\n\r\n0\r\n\r\n"), {
    start: "POST /",
    body: "0\r\n\r\n",
  }),
  refusedBody("32 LF after the size", chunked("1\na\r\n0\r\n\r\n"), "400 bad_chunk_size"),
  refusedBody("32 CR alone after the size", chunked("1\ra\r\n0\r\n\r\n"), "400 bad_chunk_size"),
  refusedBody("32 CR CR LF after the size", chunked("1\r\r\na\r\n0\r\n\r\n"), "400 bad_chunk_size"),
  refusedBody("32 two bytes instead of CRLF", chunked("1\r\naXX0\r\n\r\n"), "400 bad_chunk_end"),
  refusedBody("32 another byte, then LF", chunked("1\r\naX\n0\r\n\r\n"), "400 bad_chunk_end"),
  refusedBody("32 CR, then another byte", chunked("1\r\na\rX0\r\n\r\n"), "400 bad_chunk_end"),
  refusedBody("32 LF after the data", chunked("1\r\na\n0\r\n\r\n"), "400 bad_chunk_end"),
  refusedBody("32 CR alone after the data", chunked("1\r\na\r0\r\n\r\n"), "400 bad_chunk_end"),
  refusedBody("32 data longer than its size", chunked("1\r\nab\r\n0\r\n\r\n"), "400 bad_chunk_end"),
  refusedBody("32 data shorter than its size", chunked("3\r\na\r\n0\r\n\r\n"), "400 bad_chunk_end"),
  refusedBody("32 LF LF at the end", chunked("1\r\na\r\n0\n\n"), "400 bad_chunk_size"),
  refusedBody("32 CR CR LF at the end", chunked("1\r\na\r\n0\r\n\r\r\n"), "400 bad_line_end"),
  refusedBody("32 LF as the last line", chunked("1\r\na\r\n0\r\n\n"), "400 bad_line_end"),
  passed(
    "33 extensions are dropped",
    chunked('1;a;b=c;d="e\\"\r";f\r\na\r\n0;z\r\n\r\n'.replace('\r";', '";')),
    {
      start: "POST /",
      body: "a",
    },
  ),
  refusedBody("33 an extension without name", chunked("1;\r\na\r\n0\r\n\r\n"), "400 bad_chunk_extension"),
  refusedBody("33 LF in an extension", chunked("1;a\nb\r\na\r\n0\r\n\r\n"), "400 bad_chunk_extension"),
  refusedBody(
    "33 LF alone ends an extension",
    chunked("2;\nxx\r\n4c\r\n0\r\n\r\n"),
    "400 bad_chunk_extension",
  ),
  refusedBody("33 CR in an extension", chunked("1;a\rb\r\na\r\n0\r\n\r\n"), "400 bad_chunk_size"),
  refusedBody(
    "33 CRLF in a quoted extension",
    chunked('1;a="\r\nb"\r\na\r\n0\r\n\r\n'),
    "400 bad_chunk_extension",
  ),
  refusedBody("33 NUL in an extension", chunked("1;a\0\r\na\r\n0\r\n\r\n"), "400 bad_chunk_extension"),
  refusedBody("33 a space before the extension", chunked("1 ;a\r\na\r\n0\r\n\r\n"), "400 bad_chunk_size"),
  refusedBody(
    "33 a long extension",
    chunked(`1;${"a".repeat(5000)}\r\na\r\n0\r\n\r\n`),
    "400 chunk_extensions_too_large",
  ),
  refusedBody(
    "33 many extensions",
    chunked(`${`1;${"a".repeat(500)}\r\nb\r\n`.repeat(10)}0\r\n\r\n`),
    "400 chunk_extensions_too_large",
  ),
  passed(
    "34 trailers stay trailers",
    chunked("1\r\na\r\n0\r\nX-Sum: 1\r\n__proto__: b\r\n\r\n", "Trailer: X-Sum"),
    {
      start: "POST /",
      body: "a",
      fields: { "x-sum": [], trailer: "X-Sum" },
      trailers: { "x-sum": "1", ["__proto__"]: "b" },
    },
  ),
  passed(
    "34 trailers that would mislead are dropped",
    chunked(
      "1\r\na\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nHost: evil\r\nAuthorization: b\r\nCookie: c\r\nVia: d\r\n" +
        "X-Forwarded-For: 1.1.1.1\r\nX-Request-Id: e\r\nConnection: close\r\nTrailer: f\r\nExpect: g\r\nTE: h\r\nX: i\r\n\r\n",
    ),
    { start: "POST /", body: "a", trailers: { x: "i" } },
  ),
  refusedBody("34 a space before a trailer's colon", chunked("0\r\nA : b\r\n\r\n"), "400 bad_field_name"),
  refusedBody("34 a trailer without colon", chunked("0\r\nA\r\n\r\n"), "400 bad_field_name"),
  refusedBody("34 a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), "400 folded_line"),
  refusedBody("34 LF in a trailer", chunked("0\r\nA: b\nC: d\r\n\r\n"), "400 bad_line_end"),
  refusedBody("34 NUL in a trailer", chunked("0\r\nA: \0\r\n\r\n"), "400 bad_field_value"),
  refusedBody("34 a shadow in a trailer", chunked("0\r\nContent_Length: 5\r\n\r\n"), "400 shadow_field_name"),
  refusedBody(
    "34 trailers without end",
    chunked(`0\r\nA: ${"b".repeat(17_000)}\r\n\r\n`),
    "431 trailers_too_large",
  ),
  refusedBody("34 too many trailers", chunked(`0\r\n${"A: b\r\n".repeat(101)}\r\n`), "431 too_many_fields"),
  passed("34 Trailer without chunks goes", get("Trailer: X"), { ...GET, fields: { trailer: [] } }),
  ...["GET", "HEAD", "DELETE", "OPTIONS", "PUT", "PATCH", "PROPFIND"].flatMap((method) => [
    passed(
      `35 a length in ${method}`,
      `${head(`${method} / HTTP/1.1`, "Host: a", "Content-Length: 4")}GET ${get()}`,
      { start: `${method} /`, body: "GET " },
      GET,
    ),
    passed(
      `35 chunks in ${method}`,
      `${head(`${method} / HTTP/1.1`, "Host: a", CHUNKED)}4\r\nGET \r\n0\r\n\r\n${get()}`,
      { start: `${method} /`, body: "GET " },
      GET,
    ),
  ]),
  {
    name: "36 a bad request after a good one: both are answered, in order, and no more",
    send: `${get()}${post("Content-Length: 1", "Content-Length: 1")}a${get()}`,
    server: [GET],
    client: [{ status: 200 }, "400 two_lengths"],
    closes: true,
  },
  {
    name: "36 a bad body after a good request",
    send: `${get()}${chunked("x\r\n")}${get()}`,
    server: [GET],
    client: [{ status: 200 }, "400 bad_chunk_size"],
    closes: true,
    partial: true,
  },
  ...(["fin", "reset"] as const).flatMap((leaves) => [
    { name: `37 a body cut by ${leaves}`, send: `${length("5")}abc`, client: [], leaves, partial: true },
    { name: `37 chunks cut by ${leaves}`, send: chunked("5\r\nabc"), client: [], leaves, partial: true },
    {
      name: `37 chunks without the last one, ${leaves}`,
      send: chunked("3\r\nabc\r\n"),
      client: [],
      leaves,
      partial: true,
    },
    {
      name: `37 a last chunk without its end, ${leaves}`,
      send: chunked("3\r\nabc\r\n0\r\n"),
      client: [],
      leaves,
      partial: true,
    },
    {
      name: `37 trailers cut by ${leaves}`,
      send: chunked("0\r\nA: b\r\n"),
      client: [],
      leaves,
      partial: true,
    },
    { name: `37 a head cut by ${leaves}`, send: "GET / HTTP/1.1\r\nHost: a\r\n", client: [], leaves },
  ]),
  passed(
    "38 no framing is no body",
    `${post()}${get()}`,
    { ...POST, fields: { "transfer-encoding": [] } },
    GET,
  ),
  passed("38 a body in several chunks", chunked("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"), {
    start: "POST /",
    body: "abcdef",
  }),
  passed("38 a body with a length", `${length("6")}abc\r\n\0`, { start: "POST /", body: "abc\r\n\0" }),
];
