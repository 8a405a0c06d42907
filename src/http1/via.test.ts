import { describe, expect, it } from "vitest";
import { FieldTable } from "./field-table.ts";
import { hasPassed, namesIn } from "./via.ts";

function passed(lines: string, name: string): boolean {
  const table = new FieldTable(10, false);
  const bytes = Buffer.from(`${lines}\r\n`, "latin1");
  expect(table.scan(bytes, 0, bytes.length)).toBe(bytes.length);
  return hasPassed(table, name);
}

describe("Via", () => {
  it.each([
    ["", []],
    ["1.1 a", ["a"]],
    ["1.0 Fred, 1.1 p.example.net", ["fred", "p.example.net"]],
    ["HTTP/1.1 GWA:8080 (a, 1.1 b), 1.1\tc", ["gwa", "c"]],
    ["1.1 a (x (1.1 b, ) \\) 1.1 c,) , 1.1 d", ["a", "d"]],
    ["1.1 a (never closed, 1.1 b", ["a"]],
    [",, 1.1, 1.1 a,", ["a"]],
    ["1.1 [::1]:80", ["[::1]"]],
  ])("%j names %j", (value, names) => {
    expect(namesIn(value)).toEqual(names);
  });

  it("is looked for in all its lines, by the whole name", () => {
    const lines = "Via: 1.1 a\r\nX: 1.1 b\r\nvia: 1.0 z, 1.1 Halftone-1 (x)\r\n";
    expect(passed(lines, "halftone-1")).toBe(true);
    expect(passed(lines, "halftone")).toBe(false);
    expect(passed(lines, "b")).toBe(false);
    expect(passed(lines, "x")).toBe(false);
  });
});
