import { afterAll, beforeAll, expect, it } from "vitest";
import { runAdmin, type RunningAdmin } from "../admin/running-admin.ts";
import { read, rowsOf, spansOf } from "../markdown.ts";

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await runAdmin();
});
afterAll(() => admin.stop());

const rows = rowsOf(read("docs/metrics.md")).filter(([name = ""]) => name.startsWith("`halftone_"));

it("docs/metrics.md lists every metric with its type, and no other", () => {
  const documented = rows.map(([name = "", type]) => `${spansOf(name)[0]} ${type}`);
  const told = admin.metrics.all.map(({ name, type }) => `${name} ${type}`);
  expect([...documented].sort()).toEqual([...told].sort());
});

it("says what each means, and names what its labels may be", () => {
  for (const row of rows) {
    expect(row, row[0]).toHaveLength(4);
    expect(row[3], row[0]).toMatch(/\w/);
  }
});
