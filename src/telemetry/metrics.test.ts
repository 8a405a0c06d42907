import { describe, expect, it } from "vitest";
import { stepOf } from "../core/verdict/latency-scale.ts";
import type { StoredApp } from "../directory/directory.ts";
import { LATENCY_SLOT, LATENCY_SUM_SLOT, OUTCOME_SLOT, ROW_LENGTH } from "../gateway/group-meter.ts";
import { type ProcessReport, sumRising } from "../gateway/process-report.ts";
import type { OutOfService } from "../gateway/server-status.ts";
import type { TrafficSource } from "./app-facts.ts";
import { type AppChoice, createMetrics, type Metrics, type MetricSources } from "./metrics.ts";

const NOW = Date.UTC(2026, 0, 2);

function app(name: string, more: object = {}): StoredApp {
  const groups = { blue: { servers: ["10.0.0.1", "10.0.0.2"] }, green: { servers: ["10.0.1.1"] } };
  return { name, revision: 1, document: { name, groups, ...more } };
}

function metricsOf(
  apps: readonly StoredApp[],
  traffic: Partial<TrafficSource> = {},
  more: Partial<MetricSources> = {},
): Metrics {
  return createMetrics({
    version: "1.2.3",
    directory: () => ({
      directory: "memory",
      state: "current",
      since: new Date(NOW).toISOString(),
      damaged: [],
      differences: 0,
    }),
    apps: () => apps,
    differences: () => 0,
    workers: () => ({ running: 2, expected: 2 }),
    traffic: {
      totals: () => ({}),
      counts: () => new Map(),
      outOfService: () => [],
      processes: () => ({ living: [], rising: sumRising([]) }),
      ...traffic,
    },
    release: () => undefined,
    evidence: () => Promise.resolve(undefined),
    now: () => NOW,
    ...more,
  });
}

async function lines(metrics: Metrics, choice: AppChoice = "all"): Promise<readonly string[]> {
  let text = "";
  for await (const piece of metrics.scrape(choice)) text += piece;
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

async function values(metrics: Metrics, choice?: AppChoice): Promise<ReadonlyMap<string, string>> {
  const pairs = (await lines(metrics, choice)).map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), line.slice(space + 1)] as const;
  });
  expect(new Set(pairs.map(([series]) => series)).size).toBe(pairs.length);
  return new Map(pairs);
}

function row(slots: Readonly<Record<number, number>>): Float64Array {
  const row = new Float64Array(ROW_LENGTH);
  for (const [slot, count] of Object.entries(slots)) row[Number(slot)] = count;
  return row;
}

describe("of each app is told", () => {
  it("what its groups did, and when their answers began", async () => {
    const counted = row({
      [OUTCOME_SLOT + 2]: 3,
      [LATENCY_SUM_SLOT]: 3002,
      [LATENCY_SLOT + stepOf(1.99)]: 2,
      [LATENCY_SLOT + stepOf(3000)]: 1,
    });
    const told = await values(
      metricsOf([app("shop")], {
        totals: () => ({ blue: { requests: 4, failures: 1, errors: 0, inFlight: 2 } }),
        counts: () => new Map([["blue", counted]]),
      }),
    );
    const blue = 'app="shop",group="blue"';
    expect(told.get(`halftone_requests_total{${blue},class="2xx"}`)).toBe("3");
    expect(told.get(`halftone_requests_total{${blue},class="5xx"}`)).toBe("0");
    expect(told.get(`halftone_tries_total{${blue}}`)).toBe("4");
    expect(told.get(`halftone_in_flight{${blue}}`)).toBe("2");
    expect(told.get(`halftone_latency_seconds_bucket{${blue},le="0.001"}`)).toBe("0");
    expect(told.get(`halftone_latency_seconds_bucket{${blue},le="0.002"}`)).toBe("2");
    expect(told.get(`halftone_latency_seconds_bucket{${blue},le="2.048"}`)).toBe("2");
    expect(told.get(`halftone_latency_seconds_bucket{${blue},le="8.192"}`)).toBe("3");
    expect(told.get(`halftone_latency_seconds_bucket{${blue},le="+Inf"}`)).toBe("3");
    expect(told.get(`halftone_latency_seconds_sum{${blue}}`)).toBe("3.002");
    expect(told.get(`halftone_latency_seconds_count{${blue}}`)).toBe("3");
    // A group without traffic has tries, none of them, and nothing else to count.
    expect(told.get('halftone_tries_total{app="shop",group="green"}')).toBe("0");
    expect(told.has('halftone_latency_seconds_count{app="shop",group="green"}')).toBe(false);
  });

  it("what belongs to no group, without one", async () => {
    const told = await values(
      metricsOf([app("shop")], { counts: () => new Map([["", row({ [OUTCOME_SLOT + 5]: 7 })]]) }),
    );
    expect(told.get('halftone_requests_total{app="shop",group="",class="5xx"}')).toBe("7");
    expect(told.has('halftone_servers{app="shop",group="",state="up"}')).toBe(false);
  });

  it("how its servers are, each once", async () => {
    const out: readonly OutOfService[] = [
      { kind: "dead", app: "shop", server: "10.0.0.1:80", deadUntil: NOW + 7000, streak: 1, error: "" },
      { kind: "check", app: "shop", server: "10.0.0.1:80", healthy: false, error: "" },
      { kind: "check", app: "shop", server: "10.0.0.2:80", healthy: false, error: "" },
      // No document names it any more.
      { kind: "check", app: "shop", server: "10.9.9.9:80", healthy: false, error: "" },
    ];
    const told = await values(
      metricsOf([app("shop", { quarantine: ["10.0.0.2:80"] })], { outOfService: () => out }),
    );
    const state = (group: string, state: string): string | undefined =>
      told.get(`halftone_servers{app="shop",group="${group}",state="${state}"}`);
    expect([state("blue", "up"), state("blue", "dead"), state("blue", "quarantined")]).toEqual([
      "0",
      "1",
      "1",
    ]);
    expect([state("green", "up"), state("green", "dead")]).toEqual(["1", "0"]);
    const times = [...told].filter(([series]) => series.startsWith("halftone_server_die_time_seconds"));
    expect(times).toEqual([
      ['halftone_server_die_time_seconds{app="shop",group="blue",server="10.0.0.1:80"}', "7"],
    ]);
  });

  it("its release, and the evidence on it while it runs", async () => {
    const meter = (evidence: number, needed: number): { evidence: number; needed: number; part: number } => ({
      evidence,
      needed,
      part: 0,
    });
    const evidence = { unequal: meter(0.5, 100), beyond: meter(0.25, 20), notWorse: meter(6, 20) };
    const release = { phase: "shifting", waitingFor: "verdict", since: NOW - 60_000 } as const;
    const sources = (status: "running" | "done"): Partial<MetricSources> => ({
      release: () => ({ ...release, status }),
      evidence: () => Promise.resolve(evidence),
    });
    const apps = [app("shop", { deploy: 2, share: 12.5 })];
    const told = await values(metricsOf(apps, {}, sources("running")));
    expect(told.get('halftone_deploy{app="shop"}')).toBe("2");
    expect(told.get('halftone_share_ratio{app="shop"}')).toBe("0.125");
    expect(
      told.get('halftone_release_state{app="shop",status="running",phase="shifting",waiting="verdict"}'),
    ).toBe("1");
    expect(told.get('halftone_release_phase_start_timestamp_seconds{app="shop"}')).toBe(
      String(NOW / 1000 - 60),
    );
    expect(told.get('halftone_verdict_evidence{app="shop",against="alike"}')).toBe("0.5");
    expect(told.get('halftone_verdict_evidence_needed{app="shop",against="alike"}')).toBe("100");
    expect(told.get('halftone_verdict_evidence{app="shop",against="much_worse"}')).toBe("6");
    const after = await lines(metricsOf(apps, {}, sources("done")));
    expect(after.filter((line) => line.includes("evidence"))).toEqual([]);
  });
});

it("tells of each process what it said last, and of all together what never goes down", async () => {
  const report: ProcessReport = {
    rising: { ...sumRising([]), requests: 3, handshakes: 2, resumed: 1, errors: { no_route: 3 } },
    connections: 4,
    inFlight: 1,
    load: {
      busy: 1500,
      turns: 10,
      late: [5, 1, 0, 0, 0, 0, 0, 0, 0, 2],
      lateSum: 3000,
      used: 1200,
      memory: 7,
    },
  };
  const living = [
    { ...report, place: 0 },
    { ...report, place: 1 },
  ];
  const rising = sumRising(living.map((one) => one.rising));
  const told = await values(metricsOf([], { processes: () => ({ living, rising }) }));
  expect(told.get("halftone_received_requests_total")).toBe("6");
  expect(told.get('halftone_answers_total{code="no_route"}')).toBe("6");
  expect(told.get('halftone_tls_handshakes_total{session="new"}')).toBe("2");
  expect(told.get('halftone_connections{worker="1"}')).toBe("4");
  expect(told.get('halftone_worker_busy_seconds_total{worker="0"}')).toBe("1.5");
  expect(told.get('halftone_worker_lag_seconds_bucket{worker="0",le="0.005"}')).toBe("6");
  expect(told.get('halftone_worker_lag_seconds_bucket{worker="0",le="1"}')).toBe("6");
  expect(told.get('halftone_worker_lag_seconds_bucket{worker="0",le="+Inf"}')).toBe("8");
  expect(told.get('halftone_worker_lag_seconds_sum{worker="0"}')).toBe("3");
});

describe("apps are chosen", () => {
  const apps = ["quiet", "busy", "dead", "released"].map((name) => app(name));
  const metrics = metricsOf(
    apps,
    {
      counts: (name) => new Map(name === "busy" ? [["blue", row({})]] : []),
      outOfService: (name) =>
        name === "dead"
          ? [{ kind: "check", app: name, server: "10.0.0.1:80", healthy: false, error: "" }]
          : [],
    },
    {
      release: ({ name }) =>
        name === "released"
          ? { status: "running", phase: "testing", waitingFor: "continue", since: NOW }
          : undefined,
    },
  );
  const told = async (choice: AppChoice): Promise<readonly string[]> =>
    (await lines(metrics, choice)).flatMap((line) => /^halftone_deploy\{app="(\w+)"\}/.exec(line)?.[1] ?? []);

  it.each<[string, AppChoice, readonly string[]]>([
    ["those of which there is something to tell", "busy", ["busy", "dead", "released"]],
    ["all", "all", ["quiet", "busy", "dead", "released"]],
    ["none", "none", []],
    ["some by name", new Set(["quiet", "unknown"]), ["quiet"]],
  ])("%s", async (_what, choice, expected) => {
    expect(await told(choice)).toEqual(expected);
  });
});

it("lets others have their turn while it tells of thousands", async () => {
  const counted = new Map([["blue", row({})]]);
  const metrics = metricsOf(
    Array.from({ length: 2000 }, (_, index) => app(`app-${index}`)),
    { counts: () => counted },
  );
  let turns = 0;
  let over = false;
  const turn = (): void => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await lines(metrics);
  over = true;
  expect(turns).toBeGreaterThan(200);
});

it("writes label values as Prometheus reads them", async () => {
  const group = 'odd "name" \\ here';
  const odd = {
    name: "shop",
    revision: 1,
    document: { name: "shop", groups: { [group]: { servers: ["10.0.0.1"] } } },
  };
  const told = await lines(metricsOf([odd]));
  expect(told).toContain('halftone_in_flight{app="shop",group="odd \\"name\\" \\\\ here"} 0');
});
