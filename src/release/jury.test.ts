import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AppDocument } from "../config/app-document.ts";
import { outstanding, type ReleaseEffect } from "../core/release-effects.ts";
import type { ReleaseInput } from "../core/release-begin.ts";
import type { ReleaseState } from "../core/release-state.ts";
import { groupNames, PLAN, play, START, type Player } from "../core/release.fixture.ts";
import { endOfStep } from "../core/verdict/latency-scale.ts";
import { MEMORY, type Cell, type TallyWindow } from "../core/verdict/tally.ts";
import { DirectoryUnavailable, type StoredApp } from "../directory/directory.ts";
import {
  type AppRecord,
  type AppTally,
  type GatewayReport,
  type KeptVerdict,
  LocalRoster,
} from "../fleet/roster.ts";
import { readCase, type Case } from "./case.ts";
import { Jury } from "./jury.ts";
import { OutsideCounts } from "./outside-counts.ts";
import type { OutsideRequest, OutsideSource } from "./outside-source.ts";
import { withState } from "./release-changes.ts";
import type { VerdictReport } from "./verdict-report.ts";

const WINDOW = 10_000;
/** When a window is judged, after its end. */
const LATER = 4000;
const DOCUMENT: AppDocument = {
  name: "shop",
  groups: {
    group1: { servers: ["10.0.1.1", "10.0.1.2"] },
    group2: { servers: ["10.0.2.1"] },
    group3: { servers: ["10.0.3.1"] },
  },
};
const [TEST, REST] = ["10.0.1.1:80", "10.0.2.1:80"];

/** A roster that can be out of reach. */
class FrailRoster extends LocalRoster {
  reachable = true;
  kept = 0;

  override sightings(): ReturnType<LocalRoster["sightings"]> {
    this.#look();
    return super.sightings();
  }

  override keepVerdict(app: string, verdict: KeptVerdict): Promise<void> {
    this.#look();
    this.kept += 1;
    return super.keepVerdict(app, JSON.parse(JSON.stringify(verdict)) as KeptVerdict);
  }

  #look(): void {
    if (!this.reachable) throw new DirectoryUnavailable("redis: no answer within 1000 ms");
  }
}

/** A release, what its gateways tell, and the jury that hears them. */
class Court {
  readonly roster = new FrailRoster();
  readonly player: Player;
  now = START;
  document: AppDocument = DOCUMENT;
  readonly asked: OutsideRequest[] = [];
  jury: Jury;
  #lastClient = 0;
  readonly #told = new Map<string, TallyWindow[]>();

  constructor(changes: Partial<ReleaseInput> = {}) {
    this.player = play(changes);
    this.jury = this.another();
  }

  /** Of a signal that nobody judges by: what matters is when it is asked. */
  readonly source: OutsideSource = {
    name: "orders",
    read: (request) => {
      this.asked.push(request);
      const none = { total: 0, bad: 0 };
      return Promise.resolve({ kind: "counted", comparison: { test: none, rest: none } });
    },
  };

  another(): Jury {
    return new Jury({
      roster: this.roster,
      outside: () => new OutsideCounts([this.source]),
      now: () => this.now,
    });
  }

  get app(): StoredApp {
    const app = { name: "shop", revision: 1, document: this.document };
    return { ...app, ...withState(app, this.player.state) };
  }

  get state(): ReleaseState {
    return this.player.state;
  }

  /** The step that waits for it is in force everywhere; its time begins now. */
  reach(kind: ReleaseState["stage"]["kind"], turn?: number): this {
    this.player.wait(Math.max(0, this.now - this.player.now));
    this.player.until(kind, turn);
    this.player.report({ type: "converged", change: this.state.change });
    expect(this.state.stage.kind).toBe(kind);
    this.now = this.state.reachedAt!;
    return this;
  }

  get effect(): Extract<ReleaseEffect, { kind: "verdict" }> | undefined {
    return outstanding(this.state).find((effect) => effect.kind === "verdict");
  }

  hear(jury: Jury = this.jury): Promise<VerdictReport | undefined> {
    return jury.hear(this.app, this.state, this.effect);
  }

  /** The number of the window that lies so many ahead of the moment at which the step was reached. */
  number(ahead: number): number {
    return Math.ceil(this.state.reachedAt! / WINDOW) + ahead;
  }

  /** As soon as that window is judged. */
  after(ahead: number): this {
    this.now = (this.number(ahead) + 1) * WINDOW + LATER;
    return this;
  }

  /** What a gateway counted in a window: failures of as many clients. */
  async tell(
    ahead: number,
    counts: { test?: readonly [number, number]; rest?: readonly [number, number] },
    more: Partial<TallyWindow> & { gateway?: string; server?: string } = {},
  ): Promise<void> {
    const { gateway = "a", server = TEST, ...window } = more;
    const { test = [0, 0], rest = [0, 0] } = counts;
    const cell = (total: number): Cell => [total, 0, 0, 0, 0, 0, 0];
    const failed = (bad: number, name: string): [number, string][] =>
      Array.from({ length: bad }, () => [++this.#lastClient, name]);
    await this.tellWindows(gateway, [
      {
        window: this.number(ahead),
        part: 1,
        cells: { [server]: cell(test[0]), [REST]: cell(rest[0]) },
        erring: [...failed(test[1], server), ...failed(rest[1], REST)],
        met: [],
        testers: [0, 0],
        ...window,
      },
    ]);
  }

  /** A gateway tells these with all it has told before. */
  async tellWindows(
    gateway: string,
    windows: readonly TallyWindow[],
    more: Partial<AppTally> = {},
  ): Promise<void> {
    const told = [...(this.#told.get(gateway) ?? []), ...windows];
    this.#told.set(gateway, told);
    const tally = { release: "r1", length: WINDOW, windows: told, latencies: [], ...more };
    await this.beat(gateway, { tally });
  }

  async beat(gateway: string, more: Partial<AppRecord>): Promise<void> {
    const report = { id: gateway, name: gateway } as GatewayReport;
    await this.roster.beat(
      report,
      new Map([["shop", { revision: 1, groups: {}, rates: {}, failureRates: {}, ...more }]]),
    );
  }

  async kept(): Promise<Case | undefined> {
    return readCase((await this.roster.verdict("shop"))?.state);
  }
}

function totals(report: VerdictReport | undefined, name: string = "errors"): unknown {
  const signal = report?.signals.find((one) => one.name === name);
  return signal && [signal.test.total, signal.test.bad, signal.rest.total, signal.rest.bad];
}

describe("the windows that gateways tell of", () => {
  it("are judged together, once, four seconds after their end", async () => {
    const court = new Court().reach("shifting");
    await court.tell(1, { test: [40, 1], rest: [160, 2] });
    await court.tell(1, { test: [10, 0], rest: [30, 1] }, { gateway: "b" });
    court.after(1).now -= 1;
    expect(await court.hear()).toBeUndefined();
    court.now += 1;
    const report = await court.hear();
    expect(totals(report)).toEqual([50, 1, 190, 3]);
    expect(report).toMatchObject({
      release: "r1",
      group: "group1",
      step: court.state.step,
      share: 10,
      at: court.now,
      answer: "notEnough",
      badServer: null,
      usersWithErrors: 0,
      testers: { requests: 0, failed: 0 },
      slower: null,
    });
    expect(await court.hear()).toBeUndefined();
    court.now += WINDOW - 1;
    expect(await court.hear()).toBeUndefined();
    await court.tell(2, { test: [1, 0], rest: [2, 0] });
    court.now += 1;
    expect(totals(await court.hear())).toEqual([51, 1, 192, 3]);
  });

  it("lead to a verdict, in words and as plain JSON", async () => {
    const court = new Court().reach("shifting");
    for (const ahead of [1, 2, 3, 4, 5]) await court.tell(ahead, { test: [40, 8], rest: [160, 1] });
    const report = await court.after(5).hear();
    expect(report).toMatchObject({ answer: "worse", badServer: null });
    expect(report!.words.join(" ")).toContain("40 errors in 200 requests (20 %) against 5 in 800 requests");
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect((await court.kept())?.report).toEqual(report);
  });

  it("do not count while the step is not in force everywhere, nor in its warm-up", async () => {
    const court = new Court();
    court.player.until("shifting");
    court.now = court.player.now + 10 * WINDOW;
    await court.tellWindows("a", []);
    expect(await court.hear()).toBeUndefined();
    // The warm-up ends within a window.
    court.now += 1;
    court.reach("shifting");
    await court.tell(0, { test: [100, 50], rest: [100, 0] });
    await court.tell(1, { test: [10, 0], rest: [20, 0] });
    expect(await court.after(0).hear()).toBeUndefined();
    expect(totals(await court.after(1).hear())).toEqual([10, 0, 20, 0]);
  });

  it("that nobody told of are windows without traffic", async () => {
    const court = new Court().reach("shifting");
    await court.tell(1, { test: [40, 0], rest: [160, 0] });
    const before = await court.after(1).hear();
    const after = await court.after(5).hear();
    expect(totals(after)).toEqual(totals(before));
    expect(after!.signals[0]!.rate).toBeCloseTo(before!.signals[0]!.rate / 5, 9);
    // After a long absence it is not gone through all of them.
    const long = await court.after(1_000_000).hear();
    expect(totals(long)).toEqual(totals(before));
  });

  it("of another release, another length, or that could not be read, say nothing", async () => {
    const court = new Court().reach("shifting");
    await court.tell(1, { test: [40, 0], rest: [160, 0] });
    const window: TallyWindow = {
      window: court.number(1),
      part: 1,
      cells: { [TEST]: [9, 0, 0, 0, 0, 0, 0] },
      erring: [[1, TEST]],
      met: [1],
      testers: [1, 1],
    };
    await court.tellWindows("b", [window], { release: "r0" });
    await court.tellWindows("c", [window], { length: 5000 });
    await court.beat("d", {});
    const report = await court.after(1).hear();
    expect(totals(report)).toEqual([40, 0, 160, 0]);
    expect(report).toMatchObject({ usersWithErrors: 0, testers: { requests: 0 } });
  });

  it("count a client that failed at two gateways once in ten minutes", async () => {
    const court = new Court().reach("shifting");
    const cells = { [TEST]: [10, 0, 0, 0, 0, 0, 0], [REST]: [10, 0, 0, 0, 0, 0, 0] } as const;
    const erring = [[7, TEST]] as const;
    await court.tell(1, {}, { cells, erring });
    await court.tell(1, {}, { cells, erring, gateway: "b" });
    await court.tell(2, {}, { cells, erring });
    expect(totals(await court.after(2).hear())).toEqual([30, 1, 30, 0]);
    const next = (2 * MEMORY) / WINDOW - court.number(0);
    await court.tell(next - 1, {}, { cells, erring });
    expect(totals(await court.after(next - 1).hear())).toEqual([40, 1, 40, 0]);
    await court.tell(next, {}, { cells, erring });
    expect(totals(await court.after(next).hear())).toEqual([50, 2, 50, 0]);
  });

  it("wait while the roster is out of reach, and are not counted twice by that", async () => {
    const court = new Court().reach("shifting");
    await court.tell(1, { test: [40, 1], rest: [160, 2] });
    court.after(1).roster.reachable = false;
    await expect(court.hear()).rejects.toThrow(DirectoryUnavailable);
    court.roster.reachable = true;
    expect(totals(await court.hear())).toEqual([40, 1, 160, 2]);
    await court.tell(2, { test: [40, 0], rest: [160, 0] });
    court.after(2);
    const keep = court.roster.keepVerdict.bind(court.roster);
    court.roster.keepVerdict = () => Promise.reject(new DirectoryUnavailable("gone"));
    await expect(court.hear()).rejects.toThrow(DirectoryUnavailable);
    court.roster.keepVerdict = keep;
    await court.tell(3, { test: [40, 0], rest: [160, 0] });
    expect(totals(await court.after(3).hear())).toEqual([120, 1, 480, 2]);
  });
});

describe("the next gateway that runs the release", () => {
  it("goes on from the evidence that was kept, and counts no window twice", async () => {
    const court = new Court().reach("shifting");
    for (const ahead of [1, 2, 3])
      await court.tell(ahead, { test: [40, 2], rest: [160, 1] }, { met: [ahead] });
    await court.after(2).hear();
    const next = court.another();
    expect(await court.hear(next)).toBeUndefined();
    const report = await court.after(3).hear(next);
    expect(totals(report)).toEqual([120, 6, 480, 3]);
    expect(report?.usersWithErrors).toBe(3);
  });

  it("comes to the same verdicts, whoever hears which window", async () => {
    const counts = fc.record({
      test: fc.tuple(fc.nat(60), fc.nat(6)),
      rest: fc.tuple(fc.nat(200), fc.nat(6)),
    });
    const window = fc.record({ counts, isOther: fc.boolean(), isHeard: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(window, { minLength: 1, maxLength: 25 }), async (windows) => {
        const [one, several] = [new Court().reach("shifting"), new Court().reach("shifting")];
        let jury = several.jury;
        for (const [index, { counts, isOther, isHeard }] of windows.entries()) {
          if (isOther) jury = several.another();
          for (const court of [one, several]) await court.tell(index + 1, counts);
          const report = await one.after(index + 1).hear();
          several.after(index + 1);
          if (isHeard || index === windows.length - 1) expect(await several.hear(jury)).toEqual(report);
        }
        expect((await several.kept())?.evidence).toEqual((await one.kept())?.evidence);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ["nothing", undefined],
    ["a case of another format", { format: 2 }],
    ["half of a case", { format: 1, release: "r1", group: "group1" }],
    ["text", "case"],
  ])("begins anew when it finds %s", async (_, state) => {
    const court = new Court().reach("shifting");
    if (state !== undefined) await court.roster.keepVerdict("shop", { release: "r1", state });
    await court.tell(1, { test: [40, 1], rest: [160, 2] });
    expect(totals(await court.after(1).hear())).toEqual([40, 1, 160, 2]);
  });

  it("begins anew when the evidence in it was damaged", async () => {
    const court = new Court().reach("shifting");
    await court.tell(1, { test: [40, 1], rest: [160, 2] });
    await court.after(1).hear();
    const kept = (await court.roster.verdict("shop"))!.state as Record<string, unknown>;
    for (const damage of [
      { evidence: { signals: { errors: {} } } },
      { lastWindow: "1" },
      { testers: null },
    ]) {
      await court.roster.keepVerdict("shop", { release: "r1", state: { ...kept, ...damage } });
      const report = await court.hear(court.another());
      expect(totals(report), JSON.stringify(damage)).toEqual([40, 1, 160, 2]);
    }
  });

  it("does not take the evidence of another release", async () => {
    const court = new Court().reach("shifting");
    await court.tell(1, { test: [40, 1], rest: [160, 2] });
    await court.after(1).hear();
    const { state } = (await court.roster.verdict("shop"))!;
    await court.roster.keepVerdict("shop", { release: "r0", state });
    expect(totals(await court.hear(court.another()))).toEqual([40, 1, 160, 2]);
  });

  it("finds no more in the roster than its bytes are worth, however many servers there are", async () => {
    const servers = Array.from({ length: 50 }, (_, index) => `10.0.1.${index + 1}`);
    const court = new Court().reach("shifting");
    court.document = { ...DOCUMENT, groups: { ...DOCUMENT.groups, group1: { servers } } };
    const cell: Cell = [12, 12, 6, 12, 1, 12, 0];
    for (let ahead = 1; ahead <= 30; ahead += 1) {
      const cells = Object.fromEntries(servers.map((server) => [`${server}:80`, cell]));
      const erring = servers.map((server, index) => [1000 * ahead + index, `${server}:80`] as const);
      await court.tellWindows("a", [
        {
          window: court.number(ahead),
          part: 1,
          cells: { ...cells, [REST]: [600, 600, 300, 600, 60, 600, 6] },
          erring: [...erring, [1000 * ahead + 999, REST]],
          met: [],
          testers: [0, 0],
        },
      ]);
    }
    await court.after(30).hear();
    const size = JSON.stringify(await court.roster.verdict("shop")).length;
    expect(size).toBeGreaterThan(50_000);
    expect(size).toBeLessThan(110_000);
  });
});

describe("another step", () => {
  it("keeps what speaks for worse, and begins anew what speaks for not worse", async () => {
    const court = new Court().reach("shifting");
    for (const ahead of [1, 2]) await court.tell(ahead, { test: [40, 2], rest: [160, 2] });
    const before = (await court.after(2).hear())!;
    const { step } = court.state;
    while (court.state.step === step)
      court.player.report({ type: "verdict", step, verdict: "notWorse", reason: "" });
    court.reach("shifting");
    await court.tell(1, { test: [40, 0], rest: [160, 0] });
    const after = (await court.after(1).hear())!;
    expect(after.step).toBe(step + 1);
    expect(totals(after)).toEqual([40, 0, 160, 0]);
    // Without errors that window changes nothing of what speaks for worse.
    expect(after.unequal).toEqual(before.unequal);
    expect(after.beyond).toEqual(before.beyond);
    expect(after.notWorse.evidence).not.toBeCloseTo(before.notWorse.evidence, 2);
  });

  it("of another group begins anew with everything", async () => {
    const plan = { ...PLAN, slowStart: 600_000 };
    const court = new Court({ appGroups: groupNames(3), plan }).reach("shifting");
    for (const ahead of [1, 2]) await court.tell(ahead, { test: [40, 2], rest: [160, 1] });
    expect((await court.after(2).hear())!.unequal.evidence).toBeGreaterThan(1.1);
    court.reach("merging", 1);
    // The third one stands by, as it runs the old version.
    expect(court.app.document.standby).toEqual(["group3"]);
    const cells = {
      [REST]: [40, 0, 0, 0, 0, 0, 0],
      [TEST]: [160, 0, 0, 0, 0, 0, 0],
      "10.0.3.1:80": [7, 0, 0, 0, 0, 0, 0],
    } as const;
    await court.tell(1, {}, { cells });
    const report = (await court.after(1).hear())!;
    expect(report).toMatchObject({ group: "group2", share: 0, unequal: { evidence: 1 } });
    expect(totals(report)).toEqual([40, 0, 160, 0]);
  });
});

describe("a server that goes into quarantine", () => {
  async function judged(court: Court, ahead: number): Promise<VerdictReport> {
    await court.tell(ahead, { test: [40, 2], rest: [160, 1] });
    return (await court.after(ahead).hear())!;
  }

  it("makes the evidence begin anew, by whomever it was put there or lifted", async () => {
    const court = new Court().reach("shifting");
    await judged(court, 1);
    expect(totals(await judged(court, 2))).toEqual([80, 4, 320, 2]);
    court.document = { ...DOCUMENT, quarantine: ["10.0.1.2:80"] };
    expect(totals(await judged(court, 3))).toEqual([40, 2, 160, 1]);
    expect(totals(await judged(court, 4))).toEqual([80, 4, 320, 2]);
    court.document = DOCUMENT;
    expect(totals(await judged(court, 5))).toEqual([40, 2, 160, 1]);
    const { step } = court.state;
    court.player.report({ type: "badServer", step, server: "10.0.1.2:80", reason: "broken" });
    expect(court.state.quarantined).toEqual(["10.0.1.2:80"]);
    court.reach("shifting");
    await court.tell(1, { test: [40, 0], rest: [160, 0] });
    expect(totals(await court.after(1).hear())).toEqual([40, 0, 160, 0]);
  });

  it("is the one that is broken while its siblings are not", async () => {
    const court = new Court().reach("shifting");
    for (const ahead of [1, 2, 3, 4]) {
      await court.tell(ahead, { test: [20, 10], rest: [160, 1] });
      await court.tell(ahead, { test: [20, 0] }, { server: "10.0.1.2:80" });
    }
    const report = await court.after(4).hear();
    expect(report).toMatchObject({ answer: "worse", badServer: TEST });
  });
});

describe("who met an error, and what testers saw", () => {
  it("is told from the begin of the release on, also of what is not compared", async () => {
    const court = new Court().reach("testing");
    await court.tell(0, {}, { testers: [5, 1] });
    expect(await court.after(0).hear()).toBeUndefined();
    const { kept } = court.roster;
    court.reach("shifting");
    // The warm-up.
    await court.tell(0, {}, { met: [1, 2], testers: [1, 0] });
    expect(await court.after(0).hear()).toBeUndefined();
    expect(court.roster.kept).toBe(kept + 1);
    await court.tell(1, {}, { met: [2, 3], part: 1 / 2 });
    expect(await court.after(1).hear(court.another())).toMatchObject({ testers: { requests: 6, failed: 1 } });
    expect(await court.after(2).hear()).toMatchObject({
      usersWithErrors: 4,
      testers: { requests: 6, failed: 1 },
    });
  });

  it("is not kept anew while nobody did", async () => {
    const court = new Court().reach("testing");
    for (const ahead of [0, 1, 2]) {
      await court.tell(ahead, { rest: [100, 1] });
      await court.after(ahead).hear();
    }
    expect(court.roster.kept).toBe(0);
    expect(court.asked).toEqual([]);
  });
});

describe("those who count elsewhere", () => {
  it("are asked for the sides that are compared, from the begin of the step on", async () => {
    const court = new Court().reach("shifting");
    await court.after(0).hear();
    await court.after(1).hear();
    expect(court.asked).toHaveLength(2);
    expect(court.asked[1]).toEqual({
      app: "shop",
      release: "r1",
      test: { groups: ["group1"], servers: ["10.0.1.1:80", "10.0.1.2:80"] },
      rest: { groups: ["group2", "group3"], servers: ["10.0.2.1:80", "10.0.3.1:80"] },
    });
  });
});

describe("what is slow", () => {
  const STEP = 40;

  async function slowerAfter(court: Court, count: number): Promise<readonly number[] | undefined> {
    court.now += 1000;
    await court.tellWindows("a", [], { latencies: [[STEP, count]] });
    return await court.jury.slower(court.app, court.state);
  }

  it("is settled from many answers of the old version, or from fewer when clients come to the new one", async () => {
    const court = new Court().reach("testing");
    expect(await slowerAfter(court, 19_999)).toBeUndefined();
    const end = endOfStep(STEP);
    expect(await slowerAfter(court, 20_000)).toEqual([end, end, end]);
    court.reach("shifting");
    expect(await slowerAfter(court, 999)).toBeUndefined();
    expect(await slowerAfter(court, 1000)).toEqual([end, end, end]);
  });

  it("is what all gateways saw of this release, and of nothing else", async () => {
    const court = new Court().reach("shifting");
    await court.tellWindows("b", [], {
      latencies: [
        [STEP + 8, 50],
        [9999, 7],
      ],
    });
    await court.tellWindows("c", [], { release: "r0", latencies: [[STEP + 80, 5000]] });
    await court.beat("d", {});
    expect(await slowerAfter(court, 950)).toEqual([endOfStep(STEP), endOfStep(STEP), endOfStep(STEP + 8)]);
  });

  it("is looked at once a second", async () => {
    const court = new Court().reach("shifting");
    expect(await slowerAfter(court, 1)).toBeUndefined();
    court.now -= 1;
    expect(await slowerAfter(court, 1000)).toBeUndefined();
    court.now += 1;
    expect(await court.jury.slower(court.app, court.state)).toBeDefined();
  });

  it("is settled once, and while the old version serves", async () => {
    const court = new Court().reach("shifting");
    court.player.report({ type: "slower", slower: [1, 2, 3] });
    expect(await slowerAfter(court, 50_000)).toBeUndefined();
    const back = new Court().reach("shifting");
    back.player.say("rollback");
    expect(await slowerAfter(back, 50_000)).toBeUndefined();
    const second = new Court().reach("draining", 1);
    expect(await slowerAfter(second, 50_000)).toBeUndefined();
    const errors = PLAN.verdict.settings.signals.slice(0, 1);
    const verdict = { ...PLAN.verdict, settings: { ...PLAN.verdict.settings, signals: errors } };
    const unasked = new Court({ plan: { ...PLAN, verdict } }).reach("shifting");
    expect(await slowerAfter(unasked, 50_000)).toBeUndefined();
  });

  it("is said where it is not known", async () => {
    const court = new Court().reach("shifting");
    await court.tell(1, { test: [40, 0], rest: [160, 0] });
    const before = (await court.after(1).hear())!;
    expect(before.signals.map(({ problem }) => problem !== null)).toEqual([false, true, true, true]);
    expect(before.words.join(" ")).toContain(
      "Nothing is known of slow50, slow90, slow99: what is slow is not settled",
    );
    court.player.report({ type: "slower", slower: [1, 2, 3] });
    const after = (await court.after(2).hear())!;
    expect(after.slower).toEqual({ p50: 1, p90: 2, p99: 3 });
    expect(after.signals.every(({ problem }) => problem === null)).toBe(true);
  });
});
