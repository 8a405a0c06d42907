import { afterEach, describe, expect, it, vi } from "vitest";
import type { Facts } from "../core/release-event.ts";
import { AppStore } from "../directory/app-store.ts";
import type { StoredApp } from "../directory/directory.ts";
import type { Log } from "../directory/log.ts";
import { MemoryDirectory } from "../directory/memory-directory.ts";
import { type GatewayReport, LocalRoster } from "../fleet/roster.ts";
import { type ControllerOptions, ReleaseController } from "./controller.ts";
import type { HookOutcome, HookRunner, HookSettings, HookTask } from "./hook-runner.ts";
import { refuseUnderRelease } from "./guard-changes.ts";
import { runningRelease } from "./release-record.ts";
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
async function stage(names: readonly string[], delays: Readonly<Record<string, number>> = { here: 0 }) {
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
  const timers = new Set<NodeJS.Timeout>();
  cleanUps.push(async () => timers.forEach((timer) => clearTimeout(timer)));
  const beat = (name: string, app: StoredApp): Promise<boolean> => {
    const report = { id: name, name, ready: true, directory: "current" } as unknown as GatewayReport;
    return roster.beat(
      report,
      new Map([[app.name, { revision: app.revision, groups: {}, rates: {}, failureRates: {} }]]),
    );
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
    await store.put(name, { name, routes, groups }, "absent", "test");
  }
  const facts = (): Promise<Facts> => Promise.resolve(FACTS);
  const releases = new StoredReleases({
    store,
    facts,
    hooks: () => [HOOK],
    signals: () => [],
    now: Date.now,
  });
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
      now: Date.now,
      ...options,
    });
    cleanUps.push(() => made.stop());
    return made;
  };
  return { store, directory, roster, releases, controller, log };
}

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
