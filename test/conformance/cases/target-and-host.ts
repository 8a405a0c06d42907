import { get, head, passed, refused, type RequestCase } from "../case.ts";

const to = (target: string, method: string = "GET"): string =>
  head(`${method} ${target} HTTP/1.1`, "Host: a");
const host = (value: string): string => head("GET / HTTP/1.1", `Host: ${value}`);

const BAD_HOSTS = [
  "",
  ":80",
  "a b",
  "a,b",
  "a, b",
  "a/b",
  "a?b",
  "a#b",
  "a\\b",
  "u@a",
  "u:p@a",
  "a:b",
  "a:1:2",
  "a:-1",
];
const MORE_BAD_HOSTS = [
  "a:65536",
  "a:99999999999",
  "[::1",
  "::1",
  "[::g]",
  "[]",
  "[::1]a",
  "[::1]:x",
  "[fe80::1%25eth0]",
];
const LAST_BAD_HOSTS = [
  "a%",
  "a%4",
  "a%zz",
  '"a"',
  "<a>",
  "a|b",
  "a^b",
  "{a}",
  "\xe9.test",
  "a\tb",
  "http://a",
];
const UNCHANGED = [
  "/a%20b",
  "/a%41b",
  "/A%2fb%5Cc",
  "/a;b=c",
  "/a:b@c!$&'()*+,=",
  "/~a_b-c.d",
  '/"<>^`{|}',
  "/...",
  "/.a",
];
const QUERIES = ["/?a=%zz", "/?a/../b", "/?..\\..", "/a?b?c", "/?%00", "/?%", "/?;.", "/a?http://b/"];
const BAD_TARGETS = [
  "a",
  "a/b",
  "?a",
  "a:80",
  "\\\\a\\b",
  "ftp://a/",
  "http:/a",
  "http:a",
  "https:",
  "//a/b#c",
  "**",
  "*/",
];

export const targetAndHostCases: readonly RequestCase[] = [
  refused("12 no Host", head("GET / HTTP/1.1"), "400 missing_host"),
  refused("12 no Host with an absolute target", head("GET http://a/ HTTP/1.1"), "400 missing_host"),
  refused("12 two Hosts", head("GET / HTTP/1.1", "Host: a", "Host: b"), "400 two_hosts"),
  refused("12 two equal Hosts", head("GET / HTTP/1.1", "Host: a", "Host: a"), "400 two_hosts"),
  refused(
    "12 two Hosts in case variants",
    head("GET / HTTP/1.1", "host: a", "X: y", "HOST: b"),
    "400 two_hosts",
  ),
  refused("12 two Hosts in HTTP/1.0", head("GET / HTTP/1.0", "Host: a", "Host: b"), "400 two_hosts"),
  refused("12 a second Host with a fold", head("GET / HTTP/1.1", "Host: a", " b"), "400 folded_line"),
  ...[...BAD_HOSTS, ...MORE_BAD_HOSTS, ...LAST_BAD_HOSTS].map((value) =>
    refused(`12 Host: ${JSON.stringify(value)}`, host(value), "400 bad_host"),
  ),
  ...[
    "a.test",
    "a.test:80",
    "a.test:",
    "A.Test",
    "a.",
    "1.2.3.4:1",
    "[::1]",
    "[2001:db8::1]:8080",
    "a_b",
    "a%41",
  ].map((value) => passed(`12 Host: ${value}`, host(value), { start: "GET /", fields: { host: value } })),
  {
    ...passed("12 no Host in HTTP/1.0", head("GET / HTTP/1.0"), { start: "GET /", fields: { host: "" } }),
    closes: true,
    http10: true,
  },
  passed("13 an absolute target outranks Host", head("GET http://b/x HTTP/1.1", "Host: a"), {
    start: "GET /x",
    fields: { host: "b", "x-forwarded-host": "b" },
  }),
  passed("13 with port and query", head("GET http://b:81/x?y HTTP/1.1", "Host: a"), {
    start: "GET /x?y",
    fields: { host: "b:81" },
  }),
  passed("13 without path", to("http://b"), { start: "GET /", fields: { host: "b" } }),
  passed("13 with a query alone", to("http://b?c"), { start: "GET /?c" }),
  passed("13 a scheme in capitals", to("HTTP://b/"), { start: "GET /" }),
  passed("13 https", to("https://b/c"), { start: "GET /c" }),
  passed("13 an IPv6 authority", to("http://[::1]:8/c"), { start: "GET /c", fields: { host: "[::1]:8" } }),
  passed("13 an URL in the path", to("/http://b/c"), { start: "GET /http://b/c", fields: { host: "a" } }),
  refused("13 with an invalid Host", head("GET http://b/ HTTP/1.1", "Host: a b"), "400 bad_host"),
  refused("13 with two Hosts", head("GET http://b/ HTTP/1.1", "Host: b", "Host: b"), "400 two_hosts"),
  ...["http:///a", "http://", "http://?a", "http://:80/", "https:///a"].map((target) =>
    refused(`14 an empty host: ${target}`, to(target), "400 bad_target"),
  ),
  ...["http://u@b/", "http://u:p@b/", "http://@b/", "http://a@b@c/", "http://b%40c@d/"].map((target) =>
    refused(`14 user information: ${target}`, to(target), "400 bad_target"),
  ),
  ...["http://b:65536/", "http://b:x/", "http://b c/", "http://[::1/", "http://b\\c/", "http://b,c/\x80"].map(
    (target) =>
      refused(
        `14 a bad authority: ${JSON.stringify(target)}`,
        to(target),
        target.includes(" ") ? "400 bad_version" : "400 bad_target",
      ),
  ),
  passed("15 OPTIONS *", to("*", "OPTIONS"), { start: "OPTIONS *" }),
  passed("15 OPTIONS of an authority", to("http://b", "OPTIONS"), {
    start: "OPTIONS *",
    fields: { host: "b" },
  }),
  passed("15 OPTIONS of a root", to("http://b/", "OPTIONS"), { start: "OPTIONS /" }),
  refused("15 GET *", to("*"), "400 bad_target"),
  refused("15 POST *", to("*", "POST"), "400 bad_target"),
  refused("15 authority-form without CONNECT", to("a:443"), "400 bad_target"),
  ...BAD_TARGETS.map((target) => refused(`15 target ${target}`, to(target), "400 bad_target")),
  ...["/#", "/a#b", "/a?b#c", "#", "http://a/#b", "/%23#"].map((target) =>
    refused(`16 a fragment: ${target}`, to(target), "400 bad_target"),
  ),
  passed("16 an encoded fragment", to("/a%23b"), { start: "GET /a%23b" }),
  ...UNCHANGED.map((target) => passed(`17 ${target}`, to(target), { start: `GET ${target}` })),
  ...QUERIES.map((target) => passed(`17 ${target}`, to(target), { start: `GET ${target}` })),
  ...["/\xe9", "/\x80?", "/?\xff", "/\xc3\xa9"].map((target) =>
    refused(`17 a raw byte: ${JSON.stringify(target)}`, to(target), "400 bad_target"),
  ),
  ...(
    [
      ["/a/../b", "/b"],
      ["/a/./b", "/a/b"],
      ["/a/..", "/"],
      ["/a/.", "/a/"],
      ["/%2e/a", "/a"],
      ["/a/%2E%2e/b?../c", "/b?../c"],
      ["/a/.%2e/b", "/b"],
      ["/a/b/../../c", "/c"],
      ["/a//../b", "/a/b"],
      ["http://a/b/../c", "/c"],
    ] as const
  ).map(([target, resolved]) =>
    passed(`18 ${target} is ${resolved}`, to(target), { start: `GET ${resolved}` }),
  ),
  ...["//", "//a//b//", "/@a%2fb", "/a%5cb", "/%252e%252e/", "/a%2f", "/%2fa", "/%25", "//b.test/c"].map(
    (target) => passed(`18 ${target} stays`, to(target), { start: `GET ${target}`, fields: { host: "a" } }),
  ),
  ...[
    "/\\",
    "/a\\b",
    "/..\\b",
    "/%00",
    "/a%00.png",
    "/%",
    "/%4",
    "/%zz",
    "/a%",
    "/%u0041",
    "/%%41",
    "/%4?a",
  ].map((target) => refused(`18 ${target}`, to(target), "400 bad_path")),
  ...["/..", "/../a", "/a/../../b", "/%2e%2e/a", "/./../a", "/a/b/../../../c", "http://a/../b"].map(
    (target) => refused(`18 above the root: ${target}`, to(target), "400 bad_path"),
  ),
  ...["/a/..;/b", "/..;a=b/c", "/.;/a", "/a/%2e%2e;/b", "/a/..%3b/b"].map((target) =>
    refused(`18 dots with a parameter: ${target}`, to(target), "400 bad_path"),
  ),
  ...["/..%2fa", "/a%2f../b", "/a%2f..%2fb", "/%2e%2e%5ca", "/a%5c..", "/a/.%2fb", "/a%2F%2e%2E%2Fb"].map(
    (target) => refused(`18 dots beside an encoded slash: ${target}`, to(target), "400 bad_path"),
  ),
  passed("17 routing uses the forwarded target", get("X-Original-URL: /admin", "X-Rewrite-URL: /admin"), {
    start: "GET /",
  }),
];
