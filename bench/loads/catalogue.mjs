// @ts-check
import { appHost } from "../proxies/halftone.mjs";
import { ANSWER_FIELDS, BODY, CHUNKED_BYTES, HEADS_BYTES, HUGE_BYTES, LARGE_BYTES } from "../upstream.mjs";
import { idle } from "./idle.mjs";
import { latency } from "./latency.mjs";

/** As a browser sends them: with Host a request has twelve. */
const BROWSER_FIELDS = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
  Referer: "https://shop.example.com/catalogue/lamps?page=3&sort=price",
  Cookie:
    "session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=all; uid=45c48cce2e2d7fbdea1afc51c7c6ad26",
  Authorization: "Bearer 1679091c5a880faf6fb5e6087eb1b2dc",
  "Cache-Control": "no-cache",
  Pragma: "no-cache",
  DNT: "1",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Site": "same-origin",
};

const SMALL = { path: "/", length: BODY.length };
const MEMORY_COLUMNS = [
  { key: "memoryBefore", title: "RSS before, MiB", digits: 0 },
  { key: "memoryMost", title: "most, MiB", digits: 0 },
];

/** @type {readonly import("./work-load.mjs").WorkLoad[]} */
export const LOADS = [
  { ...SMALL, id: "small", title: "100-byte answers, 64 kept connections", byDefault: true, connections: 64 },
  { ...SMALL, id: "small-512", title: "100-byte answers, 512 kept connections", connections: 512 },
  {
    id: "heads",
    title: "12 request header fields, 15 response header fields, 4 KiB, 64 kept connections",
    byDefault: true,
    path: "/heads",
    headers: BROWSER_FIELDS,
    connections: 64,
    length: HEADS_BYTES,
    answerFields: ANSWER_FIELDS,
  },
  {
    id: "large",
    title: "downloads of 1 MiB, 16 kept connections",
    byDefault: true,
    path: "/large",
    connections: 16,
    length: LARGE_BYTES,
    countBytes: true,
  },
  {
    id: "upload",
    title: "POST of 1 MiB, 16 kept connections",
    path: "/sink",
    method: "POST",
    requestBytes: 1024 * 1024,
    connections: 16,
    length: BODY.length,
  },
  {
    id: "huge",
    title: "downloads of 64 MiB, 2 kept connections",
    path: "/huge",
    connections: 2,
    length: HUGE_BYTES,
    countBytes: true,
    columns: MEMORY_COLUMNS,
  },
  {
    id: "chunked",
    title: "16 KiB answers in chunks, 64 kept connections",
    path: "/chunked",
    connections: 64,
    length: CHUNKED_BYTES,
  },
  {
    ...SMALL,
    id: "close",
    title: "100-byte answers, a new connection for each, 64 at a time",
    byDefault: true,
    headers: { Connection: "close" },
    connections: 64,
  },
  {
    ...SMALL,
    id: "tls",
    title: "100-byte answers over TLS 1.3, 64 kept connections",
    tls: true,
    connections: 64,
  },
  latency,
  idle,
  {
    ...SMALL,
    id: "apps",
    title: "one of many apps, 100-byte answers, 64 kept connections",
    halftoneOnly: true,
    connections: 64,
    variants: [
      { id: "1", title: "1 app", apps: 1, host: appHost(1) },
      { id: "10000", title: "10,000 apps", apps: 10_000, host: appHost(10_000) },
    ],
  },
  {
    ...SMALL,
    id: "servers",
    title: "a pool of many servers, 100-byte answers, 64 kept connections",
    halftoneOnly: true,
    connections: 64,
    variants: [
      { id: "4", title: "4 servers", servers: 4 },
      { id: "1000", title: "1,000 servers", servers: 1000 },
    ],
  },
  {
    ...SMALL,
    id: "counted",
    title: "an app under release, 20,000 clients, half of them drawn, 64 kept connections",
    halftoneOnly: true,
    connections: 64,
    clients: 20_000,
    variants: [
      { id: "drawn", title: "drawn alone", release: "drawn" },
      { id: "counted", title: "counted for the verdict", release: "counted" },
    ],
  },
  {
    ...SMALL,
    id: "workers",
    title: "one worker and two, 100-byte answers, 64 kept connections",
    proxies: ["halftone-1", "other-1"],
    connections: 64,
    variants: [
      { id: "1", title: "workers: 1", workers: 1, cores: [0] },
      { id: "2", title: "workers: 2", workers: 2, cores: [0, 2] },
    ],
  },
];
