import { describe, expect, it } from "vitest";

import { FieldTable } from "./field-table.ts";
import { Field } from "./field.ts";

function tableOf(...lines: string[]): FieldTable {
  const bytes = Buffer.from(`${lines.map((line) => `${line}\r\n`).join("")}\r\n`, "latin1");
  const table = new FieldTable(20, false);
  expect(table.scan(bytes, 0, bytes.length)).toBe(bytes.length);
  return table;
}

describe("FieldTable", () => {
  it("finds the first field of a name in any case", () => {
    const table = tableOf("X-A:1", "x-a: 2", "X-AB: 3");
    expect(table.get("x-a")).toBe("1");
    expect(table.get("x-ab")).toBe("3");
    expect(table.get("x")).toBeUndefined();
  });

  it("keeps values as they are but for the white space around them", () => {
    expect(tableOf("A: \t b \t c \t ").get("a")).toBe("b \t c");
    expect(tableOf("A:").get("a")).toBe("");
    expect(tableOf("A: \t ").get("a")).toBe("");
    expect(tableOf("A: caf\xe9").get("a")).toBe("caf\xe9");
  });

  it("takes names of the language as plain data", () => {
    const table = tableOf("__proto__: a", "constructor: b", "hasOwnProperty: c", "toString: d");
    expect(table.get("__proto__")).toBe("a");
    expect(table.get("constructor")).toBe("b");
    expect(table.get("tostring")).toBe("d");
    expect(table.get("valueof")).toBeUndefined();
  });

  it("compares names exactly: ^ is not ~, though they differ by the bit that makes case", () => {
    expect(tableOf("a^: 1").get("a~")).toBeUndefined();
  });

  it("says where every line ends", () => {
    const table = tableOf("A: b", "C:  d ");
    expect([...table.lineEnd.subarray(0, 2)]).toEqual([6, 14]);
    expect(table.bytes.latin1Slice(table.nameStart[1]!, table.lineEnd[1]!)).toBe("C:  d \r\n");
  });

  it.each(Object.entries(Field).filter(([, kind]) => kind !== Field.OTHER && kind !== Field.NOMINATED))(
    "knows %s in any case, and nothing that resembles it",
    (constant, kind) => {
      const name = constant.toLowerCase().replaceAll("_", "-");
      const near = `${name.slice(0, -1)}${name.endsWith("z") ? "y" : "z"}`;
      const table = tableOf(`${name}: 1`, `${name.toUpperCase()}: 1`, `${name}x: 1`, `${near}: 1`);
      expect([...table.kind.subarray(0, 4)]).toEqual([kind, kind, Field.OTHER, Field.OTHER]);
    },
  );

  it("reads cookies over all Cookie fields", () => {
    const table = tableOf('Cookie: a=1; b="2"; bb=3;c=4=4;d= ;e', "Cookie:  f=5\t;a=6", "X: g=7");
    const expected = {
      a: "1",
      b: '"2"',
      bb: "3",
      c: "4=4",
      d: "",
      e: undefined,
      f: "5",
      g: undefined,
      "": undefined,
    };
    for (const [name, value] of Object.entries(expected)) expect(table.cookie(name), name).toBe(value);
    expect(table.cookie("A")).toBeUndefined();
    expect(table.cookie("__proto__")).toBeUndefined();
  });
});
