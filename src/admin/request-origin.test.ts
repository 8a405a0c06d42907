import { describe, expect, it } from "vitest";
import { originOf } from "./request-origin.ts";

type Row = readonly [
  kind: string,
  host: string | undefined,
  origin: string | undefined,
  site: string | undefined,
];

const ROWS: readonly Row[] = [
  ["own", "127.0.0.1:9090", "http://127.0.0.1:9090", undefined],
  ["own", "127.0.0.1:9090", "http://127.0.0.1:9090", "same-origin"],
  ["own", "127.0.0.1:9090", undefined, "same-origin"],
  ["own", "[::1]:9090", "http://[::1]:9090", undefined],
  ["own", "Admin.Example.com", "https://admin.example.com", undefined],
  ["own", "admin.example.com:443", "https://admin.example.com", undefined],
  ["own", "admin.example.com", "http://admin.example.com", undefined],
  ["untold", "127.0.0.1:9090", undefined, undefined],
  // Another port of the same host is the same site: SameSite=Strict sends the cookie.
  ["foreign", "127.0.0.1:9090", "http://127.0.0.1:8080", "same-site"],
  ["foreign", "127.0.0.1:9090", "http://127.0.0.1:8080", undefined],
  ["foreign", "127.0.0.1:9090", undefined, "same-site"],
  ["foreign", "127.0.0.1:9090", undefined, "cross-site"],
  ["foreign", "127.0.0.1:9090", undefined, "none"],
  ["foreign", "127.0.0.1:9090", "http://127.0.0.1:9090", "cross-site"],
  ["foreign", "127.0.0.1:9090", "http://evil.example", "same-origin"],
  ["foreign", "127.0.0.1:9090", "http://localhost:9090", undefined],
  ["foreign", "admin.example.com:443", "http://admin.example.com", undefined],
  ["foreign", "admin.example.com", "https://admin.example.com:8443", undefined],
  ["foreign", "admin.example.com", "https://admin.example.com.evil.example", undefined],
  ["foreign", "127.0.0.1:9090", "null", undefined],
  ["foreign", "127.0.0.1:9090", "", undefined],
  ["foreign", "127.0.0.1:9090", "file://", undefined],
  ["foreign", "127.0.0.1:9090", "chrome-extension://127.0.0.1:9090", undefined],
  ["foreign", "", "http://", undefined],
  ["foreign", undefined, "http://127.0.0.1:9090", undefined],
];

describe("the page a request came from", () => {
  it.each(ROWS)("is %s for Host %j, Origin %j, Sec-Fetch-Site %j", (kind, host, origin, secFetchSite) => {
    expect(originOf({ host, origin, secFetchSite }).kind).toBe(kind);
  });
});
