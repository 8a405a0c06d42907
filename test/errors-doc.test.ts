import { describe, expect, it } from "vitest";
import { gatewayErrors } from "../src/gateway/gateway-error.ts";
import { REFUSALS } from "../src/http1/refusal.ts";
import { read, rowsOf } from "./markdown.ts";

const inCode = [...gatewayErrors, ...REFUSALS].map(({ code, status }) => `${code} ${status}`);
const rows = rowsOf(read("docs/errors.md"));

describe("docs/errors.md", () => {
  it("lists every code the gateway answers, with its status, and no other", () => {
    const documented = rows.map(([code = "", status]) => `${code.replaceAll("`", "")} ${status}`);
    expect([...documented].sort()).toEqual([...inCode].sort());
  });

  it("says of each what it means and what to do", () => {
    for (const row of rows) {
      expect(row).toHaveLength(4);
      expect(row[2]).toMatch(/\w/);
      expect(row[3]).toMatch(/\w/);
    }
  });
});

describe("the codes", () => {
  it("are told apart by their names alone", () => {
    const codes = inCode.map((entry) => entry.split(" ")[0]);
    expect(new Set(codes).size).toBe(codes.length);
  });
});
