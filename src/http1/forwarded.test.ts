import { describe, expect, it } from "vitest";
import { forwardedElement, forwardedFor } from "./forwarded.ts";

describe("forwardedFor", () => {
  it.each([
    ["for=192.0.2.43", ["192.0.2.43"]],
    ['For="[2001:db8:cafe::17]:4711"', ["[2001:db8:cafe::17]:4711"]],
    ["for=192.0.2.60;proto=http;by=203.0.113.43", ["192.0.2.60"]],
    ["for=192.0.2.43, for=198.51.100.17", ["192.0.2.43", "198.51.100.17"]],
    ["proto=https , for=_hidden,by=1.2.3.4", ["", "_hidden", ""]],
    ['for="a\\"b,c;d"', ['a"b,c;d']],
    ['host="a,for=1.1.1.1";for=2.2.2.2', ["2.2.2.2"]],
  ])("%s: %j", (value, nodes) => {
    expect(forwardedFor(value)).toEqual(nodes);
  });

  it.each(["", ",", "for", "for=", "for=a,", "for=[::1]", 'for="a', "for=a for=b", "for =a", "for=a;;by=b"])(
    "%j is malformed",
    (value) => {
      expect(forwardedFor(value)).toBeUndefined();
    },
  );
});

describe("forwardedElement", () => {
  it("quotes what is no token", () => {
    expect(forwardedElement("::1", "a.test:80", "http")).toBe('for="[::1]";host="a.test:80";proto=http');
    expect(forwardedElement("10.0.0.1", "", "https")).toBe("for=10.0.0.1;proto=https");
  });

  it("is read as it was meant", () => {
    expect(forwardedFor(forwardedElement("fd00::1", "[::1]:80", "http"))).toEqual(["[fd00::1]"]);
  });
});
