import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outstanding, type ReleaseEffect } from "./release-effects.ts";
import { isCommand, type Facts, type ReleaseCommand, type ReleaseEvent } from "./release-event.ts";
import { isOver, type ReleaseState } from "./release-state.ts";
import { transition } from "./release.ts";
import {
  answerTo,
  begun,
  brokenInvariants,
  facts,
  GOOD,
  groupNames,
  MINUTE,
  publicOnNew,
  START,
} from "./release.fixture.ts";

/*
 * A release among gateways that are late, hooks that fail, servers that die, people who say anything at any time, and a
 * controller that is killed and goes on from what is stored. Reports wait for any time, and are delivered in any
 * order, some twice.
 */

type Happening =
  | { readonly do: "time"; readonly milliseconds: number }
  | { readonly do: "watch"; readonly idle: boolean; readonly healthy: boolean }
  | { readonly do: "judge"; readonly verdict: "worse" | "badServer" | "notWorse" | "none" }
  | { readonly do: "slower" }
  | { readonly do: "runHook" }
  | { readonly do: "endHook"; readonly outcome: "done" | "failed" }
  | { readonly do: "deliver"; readonly which: number; readonly again: boolean }
  | { readonly do: "say"; readonly type: ReleaseCommand["type"]; readonly late: boolean }
  | { readonly do: "servers"; readonly dead: readonly string[]; readonly frozen: boolean }
  | { readonly do: "crash" };

const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> => ({
  weight,
  arbitrary,
});

const happening: fc.Arbitrary<Happening> = fc.oneof(
  often(6, fc.record({ do: fc.constant("time" as const), milliseconds: fc.nat(3 * MINUTE) })),
  often(
    10,
    fc.record({
      do: fc.constant("watch" as const),
      idle: rarely(false, true),
      healthy: rarely(false, true),
    }),
  ),
  often(
    3,
    fc.record({
      do: fc.constant("judge" as const),
      verdict: fc.oneof(
        often(1, fc.constant("worse" as const)),
        often(2, fc.constant("badServer" as const)),
        often(18, fc.constantFrom("notWorse" as const, "none" as const)),
      ),
    }),
  ),
  often(6, fc.constant({ do: "runHook" as const })),
  often(
    6,
    fc.record({
      do: fc.constant("endHook" as const),
      outcome: fc.constantFrom("done" as const, "done" as const, "failed" as const),
    }),
  ),
  often(20, fc.record({ do: fc.constant("deliver" as const), which: fc.nat(), again: fc.boolean() })),
  often(
    6,
    fc.record({
      do: fc.constant("say" as const),
      type: rarely(
        "rollback" as const,
        "continue" as const,
        "resume" as const,
        "retry" as const,
        "pause" as const,
      ),
      late: fc.boolean(),
    }),
  ),
  often(
    2,
    fc.record({
      do: fc.constant("servers" as const),
      dead: fc.subarray(["group1", "group2", "group3"], { maxLength: 1 }),
      frozen: rarely(true, false),
    }),
  ),
  often(1, fc.constant({ do: "slower" as const })),
  often(3, fc.constant({ do: "crash" as const })),
);

/** The first one time in twenty, else one of the others. */
function rarely<T>(rare: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant(rare) },
    { weight: 19, arbitrary: fc.constantFrom(...others) },
  );
}

interface Setting {
  readonly groups: number;
  readonly update: string | undefined;
  readonly restore: string | undefined;
  /** How many events go well before anything else happens. */
  readonly wellBefore: number;
}

const setting: fc.Arbitrary<Setting> = fc.record({
  groups: fc.constantFrom(2, 3),
  update: fc.constantFrom("deploy", "again", undefined),
  restore: fc.constantFrom("undo", "again", undefined),
  wellBefore: fc.nat(70),
});

class World {
  state: ReleaseState;
  now: number = START;
  private facts: Facts = GOOD;
  /** Reports on their way. */
  private readonly reports: ReleaseEvent[] = [];
  /** Hooks that really run, whatever the controller knows of them. */
  private readonly running = new Set<string>();
  /** What the controller would forget in a crash. */
  private known = new Set<string>();
  private carriedOut = new Set<string>();
  private readonly runsMade = new Set<string>();

  constructor({ groups, update, restore, wellBefore }: Setting) {
    this.state = begun({ appGroups: groupNames(groups), update, restore });
    this.note(outstanding(this.state));
    this.goWell(wellBefore);
  }

  happen(happening: Happening): void {
    switch (happening.do) {
      case "time":
        this.now += happening.milliseconds;
        this.take({ type: "tick", facts: this.facts });
        break;
      case "watch":
        this.watch(happening.idle, happening.healthy);
        break;
      case "judge":
        this.judge(happening.verdict);
        break;
      case "slower":
        this.send({ type: "slower", slower: [1, 2, 3], facts: this.facts });
        break;
      case "runHook":
        this.runHook();
        break;
      case "endHook":
        this.endHook(happening.outcome);
        break;
      case "deliver":
        this.deliver(happening.which, happening.again);
        break;
      case "say":
        this.say(happening.type, happening.late);
        break;
      case "servers": {
        const freeze = happening.frozen ? { until: null, reason: "a fair" } : undefined;
        this.facts = facts({ freeze }, happening.dead);
        break;
      }
      case "crash":
        this.crash();
        break;
    }
  }

  /** Everybody is willing and everything works, for so many events. */
  goWell(events: number): void {
    this.facts = GOOD;
    for (let count = 0; count < events && !isOver(this.state); count++) {
      const { event, now } = answerTo(this.state, this.now, GOOD);
      this.now = now;
      if (event.type === "hookBegun") this.runHook();
      else this.take(event);
      if (event.type === "hookEnded") this.running.delete(event.run);
      // Nobody says continue to a hook of unknown end before it has ended.
      if (isCommand(event)) this.running.clear();
    }
  }

  private watch(idle: boolean, healthy: boolean): void {
    for (const effect of outstanding(this.state)) {
      const { facts } = this;
      if (effect.kind === "converge") this.send({ type: "converged", change: effect.change, facts });
      if (effect.kind === "drain") {
        this.send({ type: "drain", step: effect.step, idle, busy: idle ? [] : ["10.0.0.1:80"], facts });
      }
      if (effect.kind === "health") {
        const servers = [{ id: "10.0.0.1:80", passed: healthy ? effect.times : 0, error: "refused" }];
        this.send({ type: "health", step: effect.step, servers, facts });
      }
    }
  }

  private judge(verdict: "worse" | "badServer" | "notWorse" | "none"): void {
    const { facts } = this;
    for (const effect of outstanding(this.state)) {
      if (effect.kind !== "verdict") continue;
      const { step } = effect;
      if (verdict === "badServer") {
        this.send({ type: "badServer", step, server: "10.0.0.1:80", reason: "broken", facts });
      } else this.send({ type: "verdict", step, verdict, reason: verdict, facts });
    }
  }

  private runHook(): void {
    for (const effect of outstanding(this.state)) {
      // Asked for one that is begun as well: leave is given once.
      if (effect.kind !== "hook") continue;
      const before = this.state;
      this.take({ type: "hookBegun", run: effect.run, facts: this.facts });
      if (this.state === before) continue;
      expect(this.runsMade, "no run is made twice").not.toContain(effect.run);
      expect([...this.running], "nothing else works on servers").toEqual([]);
      this.runsMade.add(effect.run);
      this.running.add(effect.run);
      this.known.add(effect.run);
    }
    for (const effect of outstanding(this.state)) {
      if (effect.kind !== "stopHook" || !this.known.has(effect.run)) continue;
      this.running.delete(effect.run);
      this.known.delete(effect.run);
      this.send({
        type: "hookEnded",
        run: effect.run,
        outcome: "failed",
        detail: "stopped",
        facts: this.facts,
      });
    }
  }

  private endHook(outcome: "done" | "failed"): void {
    for (const run of this.running) {
      this.running.delete(run);
      if (!this.known.delete(run)) continue;
      this.send({ type: "hookEnded", run, outcome, detail: outcome, facts: this.facts });
    }
  }

  private send(report: ReleaseEvent): void {
    if (this.reports.length < 20) this.reports.push(report);
  }

  /** Late and twice: the facts are those of now, as the controller adds them. */
  private deliver(which: number, again: boolean): void {
    if (this.reports.length === 0) return;
    const [report] = this.reports.splice(which % this.reports.length, 1);
    const event = { ...report!, facts: this.facts };
    this.take(event);
    const once = this.state;
    this.take(event);
    expect(this.state, `${event.type} delivered twice`).toBe(once);
    if (again) this.send(event);
  }

  private say(type: ReleaseCommand["type"], late: boolean): void {
    const step = this.state.step - (late ? 1 : 0);
    this.take({ type, by: "ann", step, facts: this.facts });
  }

  /** What runs ends with its controller, so that only what is known of it is lost. */
  private crash(): void {
    const stored = JSON.stringify(this.state);
    this.state = JSON.parse(stored) as ReleaseState;
    expect(this.state).toStrictEqual(JSON.parse(stored));
    this.running.clear();
    this.known.clear();
    this.carriedOut = new Set(outstanding(this.state).map((effect) => JSON.stringify(effect)));
    for (const effect of outstanding(this.state)) {
      const lost = effect.kind === "stopHook" || (effect.kind === "hook" && effect.begun);
      if (!lost) continue;
      this.send({
        type: "hookEnded",
        run: effect.run,
        outcome: "unknown",
        detail: "killed",
        facts: this.facts,
      });
    }
  }

  private take(event: ReleaseEvent): void {
    const before = this.state;
    const result = transition(before, event, this.now);
    if (result.kind === "refused") {
      expect(isCommand(event) || event.type === "hookBegun", `${event.type} is refused`).toBe(true);
      expect(result.reason).toMatch(/; /);
      return;
    }
    this.state = result.state;
    this.note(result.effects);
    expect(brokenInvariants(this.state, this.now, this.facts)).toEqual([]);
    if (this.state.direction === "forward") {
      expect(publicOnNew(this.state), "of the public on the new version").toBeGreaterThanOrEqual(
        publicOnNew(before),
      );
    }
    expect(this.state.step - before.step, "steps by one event").toBeLessThanOrEqual(1);
    expect(this.state.change - before.change, "changes by one event").toBeLessThanOrEqual(1);
  }

  /** A controller that carries out what it is told misses nothing of what is outstanding. */
  private note(effects: readonly ReleaseEffect[]): void {
    for (const effect of effects) this.carriedOut.add(JSON.stringify(effect));
    const missed = outstanding(this.state).filter((effect) => !this.carriedOut.has(JSON.stringify(effect)));
    if (missed.length > 0) throw new Error(`never told: ${JSON.stringify(missed)}`);
  }
}

describe("a release in a world where anything happens", () => {
  it("keeps what it promises, and comes to an end when everybody is willing", { timeout: 120_000 }, () => {
    const ends = { done: 0, rolledBack: 0, early: 0 };
    fc.assert(
      fc.property(setting, fc.array(happening, { maxLength: 100, size: "max" }), (setting, happenings) => {
        const world = new World(setting);
        for (const happening of happenings) world.happen(happening);
        if (isOver(world.state)) ends.early++;
        world.goWell(300);
        expect(isOver(world.state)).toBe(true);
        if (world.state.stage.kind === "done") ends.done++;
        else ends.rolledBack++;
      }),
      { numRuns: 250 },
    );
    // The worlds are of every kind, else they prove little.
    expect(ends.done).toBeGreaterThan(50);
    expect(ends.rolledBack).toBeGreaterThan(5);
    expect(ends.early).toBeGreaterThan(20);
  });
});
