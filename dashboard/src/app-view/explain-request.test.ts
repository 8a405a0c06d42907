import { expect, it } from "vitest";
import { headersOf } from "./explain-request.ts";

it("takes headers by line, and cookies by line or semicolon", () => {
  expect(headersOf("x-tester: 1\n\nnonsense\nhost:a:b", "uid=4; beta=yes\nz = 1\nnonsense")).toEqual({
    "x-tester": "1",
    host: "a:b",
    cookie: "uid=4; beta=yes; z = 1",
  });
  expect(headersOf("", "")).toEqual({});
});
