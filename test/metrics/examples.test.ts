import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { runAdmin, type RunningAdmin } from "../admin/running-admin.ts";
import { read, ROOT } from "../markdown.ts";
import { promtool } from "./promtool.ts";

const FOLDER = "examples/monitoring";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
}

let admin: RunningAdmin;
/** Names of series: those of a histogram have suffixes. */
let known: ReadonlySet<string>;
beforeAll(async () => {
  admin = await runAdmin();
  known = new Set(
    admin.metrics.all.flatMap(({ name, type }) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
});
afterAll(() => admin.stop());

function unknownIn(expressions: readonly string[]): readonly string[] {
  return expressions
    .flatMap((text) => text.match(/\bhalftone_\w+/g) ?? [])
    .filter((name) => !known.has(name));
}

describe("the alerts", () => {
  const { groups } = parse(read(`${FOLDER}/alerts.yaml`)) as {
    groups: readonly { rules: readonly Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);

  it("are as Prometheus takes them, with its configuration", () => {
    expect(promtool(["check", "rules", `${ROOT}${FOLDER}/alerts.yaml`])).toBe("");
    expect(promtool(["check", "config", `${ROOT}${FOLDER}/prometheus.yaml`])).toBe("");
  });

  it("ask for metrics that there are", () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(unknownIn(rules.map(({ expr }) => expr))).toEqual([]);
  });

  it.each(rules)("$alert says for how long, how severe, what, and what to do", (rule) => {
    expect(rule.for).toMatch(/^\d+[mhd]$/);
    expect(rule.labels.severity).toMatch(/^(?:critical|warning|info)$/);
    expect(rule.annotations.summary).toMatch(/\w/);
    expect(rule.annotations.description).toMatch(/\w.*[.?]$/s);
  });

  it("fire when they should, and not when they should not", () => {
    expect(promtool(["test", "rules", `${ROOT}test/metrics/alert-cases.yaml`])).toBe("");
  });
});

describe("the dashboard", () => {
  const dashboard = JSON.parse(read(`${FOLDER}/dashboard.json`)) as Dashboard;
  const { panels } = dashboard;
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  it("asks for metrics that there are, by queries that Prometheus understands", () => {
    expect(expressions.length).toBeGreaterThan(15);
    const variables = dashboard.templating.list.map(({ query }) => JSON.stringify(query));
    expect(unknownIn([...expressions, ...variables])).toEqual([]);
    const folder = mkdtempSync(join(tmpdir(), "halftone-dashboard-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const rules = expressions.map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll("$__rate_interval", "5m").replaceAll(/\$(?:app|instance)/g, ".*"),
    }));
    writeFileSync(join(folder, "rules.yaml"), JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    expect(promtool(["check", "rules", join(folder, "rules.yaml")])).toBe("");
  });

  it("uses no variable that it has not", () => {
    const names = new Set(dashboard.templating.list.map(({ name }) => name));
    const used = JSON.stringify(panels).match(/\$\{?(?!__)\w+/g) ?? [];
    expect(used.map((name) => name.replace(/^\$\{?/, "")).filter((name) => !names.has(name))).toEqual([]);
  });

  it("has panels of their own place and number", () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x} ${y}`), title).toBeUndefined();
          taken.set(`${x} ${y}`, title);
        }
      }
    }
  });
});
