import { describe, expect, it } from "vitest";
import { ROOT } from "./markdown.ts";

interface Round {
  readonly cpuMicroseconds: number;
  readonly supervisorMicroseconds: number;
  readonly requestsPerSecond: number;
  readonly coreUse: number;
  readonly othersUse: number;
  readonly errors: number;
  readonly extra: Readonly<Record<string, number>>;
}
interface Row {
  readonly id: string;
  readonly title: string;
  readonly baseline: string;
  readonly rounds: readonly (Round | undefined)[];
  readonly failures: readonly string[];
}
interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}
interface Summary {
  readonly id: string;
  readonly title: string;
  readonly cpuMicroseconds: Spread;
  readonly ratio: Spread | undefined;
  readonly errors: number;
}
interface Proxy {
  readonly id: string;
  readonly title: string;
}
interface Reading {
  readonly seconds: number;
  readonly reapedSeconds: number;
}

const { summarise, table, reservations } = await bench<{
  summarise: (rows: readonly Row[]) => readonly Summary[];
  table: (summaries: readonly Summary[], layout?: object) => string;
  reservations: (summaries: readonly Summary[], load?: object) => readonly string[];
}>("report.mjs");
const { chart } = await bench<{ chart: (panels: readonly object[], caption: string) => string }>("chart.mjs");
const { entrantsOf } = await bench<{
  entrantsOf: (
    load: object,
    proxies: readonly Proxy[],
  ) => readonly { readonly id: string; readonly title: string; readonly baseline: string }[];
}>("loads/work-load.mjs");
const { LOADS } = await bench<{ LOADS: readonly { readonly id: string }[] }>("loads/catalogue.mjs");
const { PROXIES } = await bench<{ PROXIES: readonly Proxy[] }>("proxies/catalogue.mjs");
const { othersBetween } = await bench<{
  othersBetween: (before: ReadonlyMap<number, Reading>, after: ReadonlyMap<number, Reading>) => number;
}>("cpu-time.mjs");
const { simulate } = await bench<{
  simulate: (
    scenario: object,
    costs: object,
    seed: number,
  ) => {
    readonly primary: number;
    readonly missed: number;
    readonly lost: number;
    readonly change: { readonly most: number };
    readonly demand: Readonly<Record<string, number>>;
  };
}>("fleet/simulator.mjs");

describe("the benchmark's summary", () => {
  it("forms ratios within each round, then takes the median", () => {
    // A machine that was slow in the second round: ratios 2, 2 and 3, while the medians' ratio would be 60 / 20.
    const [nginx, other] = summarise([row("nginx", [10, 30, 20]), row("halftone-0", [20, 60, 60])]);
    expect(nginx?.ratio).toEqual({ median: 1, min: 1, max: 1 });
    expect(other?.cpuMicroseconds).toEqual({ median: 60, min: 20, max: 60 });
    expect(other?.ratio).toEqual({ median: 2, min: 2, max: 3 });
  });

  it("takes the mean of the two in the middle", () => {
    expect(summarise([row("nginx", [4, 1, 3, 2])])[0]?.cpuMicroseconds).toEqual({
      median: 2.5,
      min: 1,
      max: 4,
    });
  });

  it("leaves a failed round out of all ratios, and shows the row as failed", () => {
    const broken = { ...row("haproxy", [undefined, 8]), failures: ["it ended\nwith much output"] };
    const summary = summarise([row("nginx", [10, 4]), broken, row("caddy", [10, undefined])]);
    expect(summary[1]?.ratio).toEqual({ median: 2, min: 2, max: 2 });
    expect(summary[2]?.ratio).toEqual({ median: 1, min: 1, max: 1 });
    expect(table(summary)).toMatch(/^haproxy +failed( +-)+$/m);
    expect(reservations(summary)).toEqual(["haproxy failed: it ended"]);
  });

  it("has no ratio without the row it is formed to", () => {
    const summary = summarise([row("caddy", [10])]);
    expect(summary[0]?.ratio).toBeUndefined();
    expect(table(summary)).toMatch(/^caddy +10\.0 +- /m);
  });

  it("shows a work load's own columns, and only what differs as a range", () => {
    const rounds = [round(10, { extra: { p99: 1.25 } }), round(12, { extra: { p99: 2 } })];
    const columns = [{ key: "p99", title: "p99, ms", digits: 1 }];
    const text = table(summarise([{ ...row("nginx", []), rounds }]), { columns, ratioTo: "1 app" });
    expect(text).toContain("ratio to 1 app");
    expect(text).toMatch(/^nginx +11\.0 \(10\.0–12\.0\) +1\.00 .* 1\.6 \(1\.3–2\.0\) /m);
  });

  it("says what speaks against a figure", () => {
    const rounds = [round(1, { errors: 2, othersUse: 0.5, coreUse: 0.4 })];
    const summary = summarise([{ ...row("nginx", []), rounds }]);
    expect(reservations(summary)).toMatchObject(
      [/2 errors/, /50 % of a core/, /core was 40 %/].map(containing),
    );
    expect(reservations(summary, { openLoop: true })).toHaveLength(2);
  });
});

describe("the benchmark's lines", () => {
  it("are formed to nginx, or to the first variant of the same proxy", () => {
    const proxies = PROXIES.filter(({ id }) => id === "nginx" || id.startsWith("halftone"));
    const plain = entrantsOf(load("small"), proxies);
    expect(plain.map(({ baseline }) => baseline)).toEqual(["nginx", "nginx", "nginx"]);
    expect(entrantsOf(load("apps"), proxies).map(({ id, baseline }) => [id, baseline])).toEqual([
      ["halftone-0/1", "halftone-0/1"],
      ["halftone-0/10000", "halftone-0/1"],
      ["halftone-1/1", "halftone-1/1"],
      ["halftone-1/10000", "halftone-1/1"],
    ]);
    expect(entrantsOf(load("workers"), proxies).map(({ title }) => title)).toEqual([
      "Halftone, workers: 1",
      "Halftone, workers: 2",
    ]);
  });
});

describe("the benchmark's chart", () => {
  const bars = [
    { id: "nginx", title: "nginx", cpuMicroseconds: { median: 20, min: 20, max: 20 } },
    { id: "halftone-0", title: "<Halftone> & co", cpuMicroseconds: { median: 30, min: 25, max: 40 } },
  ];
  const svg = chart([{ title: "small", bars }], "a machine");

  it("draws bars in proportion, with the least and the greatest", () => {
    const widths = Array.from(svg.matchAll(/<rect class="bar (\w+)"[^>]* width="([\d.]+)"/g), (match) => [
      match[1],
      Number(match[2]),
    ]);
    expect(widths.map(([kind]) => kind)).toEqual(["nginx", "halftone"]);
    expect(Number(widths[1]?.[1]) / Number(widths[0]?.[1])).toBeCloseTo(1.5, 2);
    expect(svg.match(/<line class="spread"/g)).toHaveLength(1);
    expect(svg).toContain("30.0 µs");
  });

  it("is readable in light and dark, and escapes what it writes", () => {
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg).toContain("&lt;Halftone&gt; &amp; co");
  });
});

describe("CPU time of other programs", () => {
  const reading = (seconds: number, reapedSeconds = 0): Reading => ({ seconds, reapedSeconds });

  it("counts what was used between, by those that live, came and went", () => {
    const before = new Map([
      [1, reading(5, 100)],
      [2, reading(10)],
    ]);
    // 2 went after another second, reaped by 1; 3 came.
    const after = new Map([
      [1, reading(5.5, 111)],
      [3, reading(0.25)],
    ]);
    expect(othersBetween(before, after)).toBeCloseTo(1.75);
  });

  it("is not less for what nobody reaped", () => {
    const before = new Map([
      [1, reading(5)],
      [2, reading(1000)],
    ]);
    expect(othersBetween(before, new Map([[1, reading(6)]]))).toBe(1);
  });
});

describe("the simulated fleet", () => {
  const kinds =
    "pulse read readMore scanKeys digest write push connect beat beatMore document report record compare backup";
  const costs = Object.fromEntries(kinds.split(" ").map((kind) => [kind, 10]));
  const scenario = { gateways: 20, apps: 1000, changesPerSecond: 5, active: 10, seconds: 30, gbit: 1 };

  it("is the same for the same seed, and another for another", () => {
    expect(simulate(scenario, costs, 1)).toEqual(simulate(scenario, costs, 1));
    expect(simulate(scenario, costs, 1)).not.toEqual(simulate(scenario, costs, 2));
  });

  it("puts every change in force everywhere, also those made while nobody was connected", () => {
    const { missed, change, lost } = simulate({ ...scenario, storm: true, changesPerSecond: 20 }, costs, 1);
    expect({ missed, lost }).toEqual({ missed: 0, lost: 0 });
    expect(change.most).toBeGreaterThan(50);
  });

  it("counts what it is asked for", () => {
    // 20 signs of life and 20 heartbeats with 10 records a second, of 10 µs each.
    const { demand } = simulate({ ...scenario, changesPerSecond: 0 }, costs, 1);
    expect(demand["pulse"]).toBeCloseTo(20 * 10e-6, 5);
    expect(demand["beat"]).toBeCloseTo(20 * 11 * 10e-6, 4);
  });

  it("gives connections up when Redis cannot do what it is asked for", () => {
    const { lost, primary } = simulate({ ...scenario, gateways: 200 }, { ...costs, digest: 5000 }, 1);
    expect(primary).toBeGreaterThan(0.9);
    expect(lost).toBeGreaterThan(0);
  });
});

async function bench<T>(file: string): Promise<T> {
  return (await import(`${ROOT}bench/${file}`)) as T;
}

function load(id: string): object {
  const found = LOADS.find((one) => one.id === id);
  if (found === undefined) throw new Error(`there is no work load ${id}`);
  return found;
}

function containing(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}

function row(id: string, cpu: readonly (number | undefined)[]): Row {
  const rounds = cpu.map((value) => (value === undefined ? undefined : round(value)));
  return { id, title: id, baseline: "nginx", rounds, failures: [] };
}

function round(cpuMicroseconds: number, more: Partial<Round> = {}): Round {
  return {
    cpuMicroseconds,
    supervisorMicroseconds: 0,
    requestsPerSecond: 1000,
    coreUse: 1,
    othersUse: 0,
    errors: 0,
    extra: {},
    ...more,
  };
}
