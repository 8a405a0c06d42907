import { afterEach, describe, expect, it, vi } from "vitest";
import type { AppDocument } from "../config/app-document.ts";
import type { Facts } from "../core/release-event.ts";
import type { ReleaseState } from "../core/release-state.ts";
import type { Cell, TallyWindow } from "../core/verdict/tally.ts";
import { AppStore } from "../directory/app-store.ts";
import type { StoredApp } from "../directory/directory.ts";
import type { Log } from "../directory/log.ts";
import { MemoryDirectory } from "../directory/memory-directory.ts";
import { type AppTally, type GatewayReport, LocalRoster } from "../fleet/roster.ts";
import { readCase } from "./case.ts";
import { type ControllerOptions, ReleaseController } from "./controller.ts";
import type { HookOutcome, HookRunner, HookSettings, HookTask } from "./hook-runner.ts";
import { gatherFacts } from "./facts.ts";
import { refuseUnderRelease } from "./guard-changes.ts";
import { readRecord, runningRelease } from "./release-record.ts";
import { lift, quarantine } from "./route-document.ts";
import type { VerdictReport } from "./verdict-report.ts";
import { OutsideCounts } from "./outside-counts.ts";
import { StoredReleases } from "./stored-releases.ts";

const GROUP = { weight: 1, liveWeight: 1, servers: 1, live: 1 };
const FACTS: Facts = { groups: { one: GROUP, two: GROUP } };
const HOOK: HookSettings = {
  name: "deploy",
  action: { kind: "command", command: ["deploy"] },
  per: "group",
  timeout: 1000,
  idempotent: false,
};

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean();
});

interface Begun {
  readonly task: HookTask;
  readonly end: (outcome?: HookOutcome) => void;
}

/** Hooks that end when the test says so, or when they are stopped. */
function heldHooks(): { readonly runner: HookRunner; readonly begun: Begun[] } {
  const begun: Begun[] = [];
  return {
    begun,
    runner: {
      run(task) {
        let end: (outcome: HookOutcome) => void = () => {};
        const ended = new Promise<HookOutcome>((resolve) => {
          end = resolve;
        });
        begun.push({ task, end: (outcome = { outcome: "done", detail: "done" }) => end(outcome) });
        return { ended, stop: () => end({ outcome: "failed", detail: "stopped" }) };
      },
    },
  };
}

function logged(): Log & { readonly errors: string[] } {
  const errors: string[] = [];
  const error = (first: unknown, message?: string): void => {
    errors.push(message ?? String(first));
  };
  return { errors, info: () => {}, warn: () => {}, error };
}

/** A store and a fleet: whatever is stored is told to be in force by every gateway, after that gateway's time. */
async function stage(
  names: readonly string[],
  delays: Readonly<Record<string, number>> = { here: 0 },
  { now = Date.now, more = {} }: { now?: () => number; more?: Partial<AppDocument> } = {},
) {
  const log = logged();
  const directory = new MemoryDirectory();
  const store = await AppStore.open({
    directory,
    backup: undefined,
    now: Date.now,
    log,
    guard: refuseUnderRelease,
  });
  cleanUps.push(() => store.close());
  const roster = new LocalRoster();
  /** What gateways counted, by their names: told with everything else. */
  const counted = new Map<string, AppTally>();
  const timers = new Set<NodeJS.Timeout>();
  cleanUps.push(async () => timers.forEach((timer) => clearTimeout(timer)));
  const beat = (name: string, app: StoredApp): Promise<boolean> => {
    const report = { id: name, name, ready: true, directory: "current" } as unknown as GatewayReport;
    const tally = counted.get(name);
    const record = {
      revision: app.revision,
      groups: {},
      rates: {},
      failureRates: {},
      ...(tally !== undefined && { tally }),
    };
    return roster.beat(report, new Map([[app.name, record]]));
  };
  store.subscribe(async ({ before, after }) => {
    if (after === undefined) return;
    for (const [name, delay] of Object.entries(delays)) {
      if (delay === 0 || before === undefined) await beat(name, after);
      else timers.add(setTimeout(() => void beat(name, after), delay));
    }
  });
  for (const name of names) {
    const routes = [{ host: `${name}.example.com`, path: "/" }];
    const groups = { one: { servers: ["10.0.0.1"] }, two: { servers: ["10.0.0.2"] } };
    await store.put(name, { name, routes, groups, ...more }, "absent", "test");
  }
  const facts = (): Promise<Facts> => Promise.resolve(FACTS);
  const releases = new StoredReleases({
    store,
    facts,
    hooks: () => [HOOK],
    signals: () => [],
    now,
  });
  const tell = async (name: string, tally: AppTally): Promise<void> => {
    counted.set("here", tally);
    await beat("here", store.get(name)!);
  };
  const controller = (options: Partial<ControllerOptions> & Pick<ControllerOptions, "runner">) => {
    const made = new ReleaseController({
      store,
      locks: directory.locks,
      roster,
      gateway: "here",
      hooks: () => [HOOK],
      probe: () => ({ stop: () => {} }),
      facts,
      outside: () => new OutsideCounts([]),
      log,
      now,
      ...options,
    });
    cleanUps.push(() => made.stop());
    return made;
  };
  return { store, directory, roster, releases, controller, log, tell };
}

const START_AT = Date.UTC(2026, 0, 2, 3, 4, 5);
const START = { version: "2", update: "deploy", restore: "deploy", steps: [{ share: 100, for: "1h" }] };

describe("the controller", () => {
  it("goes on with every other release when one cannot be gone on with, and says so once", async () => {
    const { releases, controller, log } = await stage(["aaa", "shop"]);
    const { runner, begun } = heldHooks();
    for (const name of ["aaa", "shop"]) expect((await releases.start(name, START, "amy")).kind).toBe("done");
    controller({
      runner,
      facts: ({ name }) => (name === "aaa" ? Promise.reject(new Error("broken")) : Promise.resolve(FACTS)),
    });
    await vi.waitFor(() => expect(begun.map(({ task }) => task.app)).toEqual(["shop"]), 3000);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(log.errors).toHaveLength(1);
    begun[0]!.end();
  });

  it("says it when a step cannot be stored", async () => {
    const { store, releases, controller, log } = await stage(["shop"]);
    const { runner } = heldHooks();
    expect((await releases.start("shop", START, "amy")).kind).toBe("done");
    store.advance = () =>
      Promise.resolve({ kind: "invalid", problems: [{ path: "routes", found: "x", expected: "y" }] });
    controller({ runner });
    await vi.waitFor(() => expect(log.errors.join()).toMatch(/routes/), 3000);
  });

  it("does not change the app again and again while it waits for gateways and requests", async () => {
    const delays = { here: 0, b: 3, c: 5, d: 8, e: 13, f: 17, g: 21, h: 30 };
    const { store, releases, controller } = await stage(["shop"], delays);
    const { runner, begun } = heldHooks();
    expect((await releases.start("shop", START, "amy")).kind).toBe("done");
    let changes = 0;
    store.subscribe(() => void changes++);
    controller({ runner });
    await vi.waitFor(() => expect(begun).toHaveLength(1), 10_000);
    expect(changes).toBeLessThan(8);
    begun[0]!.end();
  });

  it("comes to the end of a drain also when gateways are slow to apply each change", async () => {
    const { releases, controller } = await stage(["shop"], { here: 0, slow: 1400, slower: 2300 });
    const { runner, begun } = heldHooks();
    expect((await releases.start("shop", START, "amy")).kind).toBe("done");
    controller({ runner });
    await vi.waitFor(() => expect(begun).toHaveLength(1), 10_000);
    begun[0]!.end();
  });

  it("begins no hook while it stops", async () => {
    const { releases, controller } = await stage(["aaa", "shop"]);
    const { runner, begun } = heldHooks();
    expect((await releases.start("aaa", START, "amy")).kind).toBe("done");
    const made = controller({ runner });
    await vi.waitFor(() => expect(begun).toHaveLength(1), 3000);
    const stopped = made.stop();
    expect((await releases.start("shop", START, "amy")).kind).toBe("done");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(begun.map(({ task }) => task.app)).toEqual(["aaa"]);
    for (const { end } of begun) end();
    await stopped;
  });

  it("stores how a hook ended before it stops, also when it ends in the middle of a turn", async () => {
    const { store, releases, controller } = await stage(["shop"]);
    const { runner, begun } = heldHooks();
    expect((await releases.start("shop", START, "amy")).kind).toBe("done");
    let wait = 0;
    const made = controller({
      runner,
      facts: async () => {
        await new Promise((resolve) => setTimeout(resolve, wait));
        return FACTS;
      },
    });
    await vi.waitFor(() => expect(begun).toHaveLength(1), 3000);
    wait = 100;
    const turn = made as unknown as { wake(): void };
    await new Promise((resolve) => setTimeout(resolve, 400));
    const stopped = made.stop();
    turn.wake();
    const gate = vi.spyOn(store, "advance").mockImplementationOnce(async () => {
      // It ends while a turn that knew nothing of it is being stored.
      begun[0]!.end();
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { kind: "unchanged", app: store.get("shop")! };
    });
    await stopped;
    expect(gate).toHaveBeenCalled();
    expect(runningRelease(store.get("shop")?.releases)?.stage.kind).toBe("checking");
  });

  it("leaves a hook alone that another gateway of the same name runs", async () => {
    const { store, releases, controller } = await stage(["shop"]);
    const [first, second] = [heldHooks(), heldHooks()];
    expect((await releases.start("shop", START, "amy")).kind).toBe("done");
    controller({ runner: first.runner });
    await vi.waitFor(() => expect(first.begun).toHaveLength(1), 3000);
    controller({ runner: second.runner });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(runningRelease(store.get("shop")?.releases)?.trouble).toBeNull();
    first.begun[0]!.end();
    await vi.waitFor(
      () => expect(runningRelease(store.get("shop")?.releases)?.stage.kind).toBe("checking"),
      3000,
    );
  });
});

describe("the controller of a release that is judged", () => {
  const WINDOW = 10_000;
  const PAIRS = { one: { servers: ["10.0.0.1", "10.0.0.2"] }, two: { servers: ["10.0.1.1", "10.0.1.2"] } };
  const [BROKEN, SIBLING, OTHER] = ["10.0.0.1:80", "10.0.0.2:80", "10.0.1.1:80"];

  /** A release whose time the test moves, and whose servers pass every check. */
  async function trial(
    steps: readonly object[],
    { signals = ["errors"], minCapacity = 20 }: { signals?: readonly string[]; minCapacity?: number } = {},
  ) {
    const clock = { now: START_AT };
    const release = { minCapacity, slowStart: "0s", verdict: { signals } };
    const more = { groups: PAIRS, release };
    const staged = await stage(["shop"], { here: 0 }, { now: () => clock.now, more });
    const { store, releases, tell } = staged;
    const { runner } = heldHooks();
    const probed: (readonly string[])[] = [];
    staged.controller({
      runner,
      facts: (document, freeze) => {
        const sources = { servers: () => Promise.resolve([]), rate: () => Promise.resolve(undefined) };
        return gatherFacts(sources, document, freeze, clock.now);
      },
      probe: (_, { servers }, onRound) => {
        const ids = servers.map(({ id }) => id);
        probed.push(ids);
        const passed = (id: string): number => (id === SIBLING && probed.length === 1 ? 0 : 9);
        const round = ids.map((id) => ({ id, passed: passed(id) }));
        queueMicrotask(() => onRound(round));
        return { stop: () => {} };
      },
    });
    const state = (): ReleaseState => readRecord(store.get("shop")!.releases).current!;
    const until = (condition: () => boolean): Promise<void> =>
      vi.waitFor(() => expect(condition(), JSON.stringify(state().stage)).toBe(true), 10_000);
    const reached = (kind: string): Promise<void> =>
      until(() => state().stage.kind === kind && state().reachedAt !== null);
    expect((await releases.start("shop", { version: "2", steps }, "amy")).kind).toBe("done");
    await reached("updating");
    await releases.command("shop", { type: "continue" }, "amy");
    await reached("checking");
    await until(() => probed.length > 0);
    // One server fails its check, and is taken out of service for that by hand.
    await store.advance("shop", "amy", ({ document, releases }) => ({
      document: quarantine(document, [SIBLING]),
      releases,
      what: "quarantine",
    }));
    await until(() => probed.length > 1);
    await store.advance("shop", "amy", ({ document, releases }) => ({
      document: lift(document, SIBLING),
      releases,
      what: "quarantine lifted",
    }));
    /** So many windows from the warm-up's end on, each of them alike; and they are over. */
    const count = async (
      windows: number,
      failed: { broken: number; sibling: number; other: number },
      requests: number = 50,
    ): Promise<void> => {
      const first = Math.ceil((state().reachedAt! + WINDOW) / WINDOW);
      let client = 0;
      const erring = (bad: number, name: string): [number, string][] =>
        Array.from({ length: bad }, () => [++client, name]);
      const window = (ahead: number): TallyWindow => {
        const cell: Cell = [requests, 0, 0, 0, 0, 0, 0];
        const cells = { [BROKEN]: cell, [SIBLING]: cell, [OTHER]: [4 * requests, 0, 0, 0, 0, 0, 0] as const };
        const { broken, sibling, other } = failed;
        const all = [...erring(broken, BROKEN), ...erring(sibling, SIBLING), ...erring(other, OTHER)];
        return { window: first + ahead, part: 1, cells, erring: all, met: [], testers: [0, 0] };
      };
      const told = Array.from({ length: windows }, (_, ahead) => window(ahead));
      await tell("shop", { release: state().id, length: WINDOW, windows: told, latencies: [] });
      clock.now = (first + windows) * WINDOW + 4000;
    };
    return {
      ...staged,
      clock,
      state,
      until,
      reached,
      probed,
      count,
    };
  }

  /** The report of what was heard at that moment. */
  async function heard(roster: LocalRoster, now: number): Promise<VerdictReport> {
    return await vi.waitFor(async () => {
      const report = readCase((await roster.verdict("shop"))?.state)?.report;
      expect(report?.at).toBe(now);
      return report!;
    }, 10_000);
  }

  const JUDGED = [
    { share: 10, until: "verdict", atMost: "30m" },
    { share: 100, for: "1h" },
  ];

  it("passes over who is in quarantine when it checks the group, from when that is said", async () => {
    const { probed, reached } = await trial(JUDGED);
    await reached("shifting");
    expect(probed.slice(0, 2)).toEqual([[BROKEN, SIBLING], [BROKEN]]);
  });

  it("goes back from what is worse", async () => {
    const { state, until, reached, count } = await trial(JUDGED);
    await reached("shifting");
    await count(10, { broken: 5, sibling: 5, other: 2 });
    await until(() => state().direction === "back");
    expect(state().rollbackReason).toContain("100 errors in 1,000 requests (10 %) against 20 in 2,000");
    expect(state().log.find(({ what }) => what.startsWith("rollback"))?.by).toBe("verdict");
  });

  it("ends the step of what is proven not worse, and tells it once", async () => {
    const { state, store, until, reached, count } = await trial(JUDGED);
    await reached("shifting");
    await count(40, { broken: 1, sibling: 1, other: 4 });
    await until(() => (state().stage as { share?: number }).share === 100);
    expect(state().log.filter(({ what }) => what.startsWith("not worse: "))).toHaveLength(1);
    expect(store.get("shop")?.document).toMatchObject({ share: 100 });
  });

  it("takes the one server out that is broken, and begins the step again", async () => {
    const { state, store, roster, until, reached, count, clock } = await trial(JUDGED);
    await reached("shifting");
    const { step } = state();
    await count(6, { broken: 20, sibling: 0, other: 2 });
    await until(() => state().step > step);
    expect(store.get("shop")?.document.quarantine).toEqual([BROKEN]);
    expect(state()).toMatchObject({ direction: "forward", quarantined: [BROKEN], step: step + 1 });
    await reached("shifting");
    // Without it there is no fault, and nothing of it is held against the others.
    await count(40, { broken: 0, sibling: 2, other: 4 });
    await until(() => (state().stage as { share?: number }).share === 100);
    expect(readCase((await roster.verdict("shop"))?.state)?.report).toMatchObject({ badServer: null });
    await reached("shifting");
    clock.now += 3_600_000;
    await reached("updating");
    expect(store.get("shop")?.document.quarantine).toEqual([BROKEN]);
  });

  it("goes back where the others could not do without the broken one", async () => {
    const [, all] = JUDGED;
    const steps = [{ share: 90, until: "verdict", atMost: "30m" }, all!];
    const { state, store, until, reached, count } = await trial(steps, { minCapacity: 40 });
    await reached("shifting");
    await count(6, { broken: 20, sibling: 0, other: 2 });
    await until(() => state().direction === "back");
    expect(state().rollbackReason).toMatch(
      /^10\.0\.0\.1:80 is broken and cannot be taken out: one would carry 90 % of the clients with a live weight of 1 of 4/,
    );
    expect(store.get("shop")?.document).not.toHaveProperty("quarantine");
  });

  it("holds where there is not enough evidence, and stores that now and then", async () => {
    const { state, store, roster, until, reached, count, clock } = await trial(JUDGED);
    await reached("shifting");
    let changes = 0;
    store.subscribe(() => void changes++);
    for (let windows = 1; windows <= 18; windows += 1) {
      await count(windows, { broken: 0, sibling: 0, other: 0 }, 5);
      await heard(roster, clock.now);
    }
    expect(changes).toBeGreaterThan(1);
    expect(changes).toBeLessThan(5);
    // The newest word is stored before the time is over, however new the one before it is.
    for (const windows of [174, 177]) {
      await count(windows, { broken: 0, sibling: 0, other: 0 }, 5);
      const { signals } = await heard(roster, clock.now);
      const said = `in ${signals[0]!.test.total.toLocaleString("en")} requests`;
      await until(() => (state().stage as { evidence?: string }).evidence!.includes(said));
    }
    clock.now = state().reachedAt! + 30 * 60_000;
    await until(() => state().trouble?.code === "noVerdict");
    expect(state().trouble?.reason).toContain("There is not enough evidence yet");
  });

  it("tells what is proven once, though it waits for a person", async () => {
    const { state, store, roster, until, reached, count, clock } = await trial([
      { share: 50, until: "continue" },
      { share: 100, for: "1h" },
    ]);
    await reached("shifting");
    await count(40, { broken: 1, sibling: 1, other: 4 });
    await until(() => (state().stage as { proven?: boolean }).proven === true);
    const { revision } = store.get("shop")!;
    await count(50, { broken: 1, sibling: 1, other: 4 });
    expect((await heard(roster, clock.now)).answer).toBe("notWorse");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(store.get("shop")).toMatchObject({ revision });
    expect(state().stage).toMatchObject({ share: 50 });
  });

  it("settles what is slow, and has it counted", async () => {
    const { state, store, until, reached, clock, tell } = await trial(JUDGED, {
      signals: ["errors", "latency"],
    });
    await reached("shifting");
    expect(store.get("shop")?.document.tally).toEqual({ window: "10s" });
    clock.now += 1000;
    await tell("shop", { release: state().id, length: WINDOW, windows: [], latencies: [[40, 1000]] });
    await until(() => state().slower !== null);
    expect(store.get("shop")?.document.tally).toEqual({ window: "10s", slower: state().slower });
  });

  it("hears what testers saw before anybody else comes", async () => {
    const { state, roster, reached, clock, tell } = await trial([{ testers: "wait" }, ...JUDGED]);
    await reached("testing");
    const window = Math.ceil(clock.now / WINDOW);
    const counted = { window, part: 1, cells: {}, erring: [], met: [], testers: [7, 2] } as const;
    await tell("shop", { release: state().id, length: WINDOW, windows: [counted], latencies: [] });
    clock.now = (window + 1) * WINDOW + 4000;
    await vi.waitFor(async () => {
      expect(readCase((await roster.verdict("shop"))?.state)?.testers).toEqual([7, 2]);
    }, 10_000);
  });
});
