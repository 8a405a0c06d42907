import { describe, expect, it } from "vitest";
import { isIdempotent, mayRepeat, repeatRefusal, type FailedTry } from "./retry.ts";

const failed = (changes: Partial<FailedTry> = {}): FailedTry => ({
  sent: "some",
  idempotent: true,
  bodyHeld: true,
  responseStarted: false,
  ...changes,
});

describe("repeatRefusal", () => {
  it("allows what no server can have acted on, and what may be done twice", () => {
    expect(repeatRefusal(failed())).toBeUndefined();
    expect(repeatRefusal(failed({ sent: "nothing", idempotent: false, bodyHeld: false }))).toBeUndefined();
  });

  it("refuses with the reason", () => {
    expect(repeatRefusal(failed({ idempotent: false }))).toBe("notIdempotent");
    expect(repeatRefusal(failed({ bodyHeld: false }))).toBe("bodyGone");
  });

  it("refuses everything once a response byte went to the client", () => {
    expect(repeatRefusal(failed({ responseStarted: true }))).toBe("responseStarted");
    expect(mayRepeat(failed({ sent: "nothing", responseStarted: true }))).toBe(false);
  });
});

describe("isIdempotent", () => {
  it("follows RFC 9110, 9.2.2, in exact spelling", () => {
    const methods = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH", "CONNECT", "get"];
    expect(methods.filter(isIdempotent)).toEqual(methods.slice(0, 6));
  });
});
