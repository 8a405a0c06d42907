import { compileApp } from "../config/compile-app.ts";
import type { AppDocument } from "../config/app-document.ts";
import { elapsed, timeLimit } from "../core/release-enter.ts";
import type { ReleaseEffect } from "../core/release-effects.ts";
import { groupInTurn, type ReleaseState } from "../core/release-state.ts";
import { addWindows, compareWindow, type SideOf } from "../core/verdict/compare-window.ts";
import { addWindow, beginStep, newEvidence, type VerdictWindow } from "../core/verdict/evidence.ts";
import { quantile, SCALE_LENGTH } from "../core/verdict/latency-scale.ts";
import { MEMORY, type Side, type TallyWindow } from "../core/verdict/tally.ts";
import { OWN_SIGNALS, slowSignals } from "../core/verdict/verdict-settings.ts";
import type { StoredApp } from "../directory/directory.ts";
import type { AppTally, Roster } from "../fleet/roster.ts";
import { hearOf } from "../fleet/traffic.ts";
import { keptCase, readCase, type Case } from "./case.ts";
import type { OutsideCounts } from "./outside-counts.ts";
import type { Side as CountedSide } from "./outside-source.ts";
import { reportOf, type VerdictReport, withUsers } from "./verdict-report.ts";

/** How long after its end a window is judged, in ms: every gateway has told of it by then. */
const JUDGED_AFTER = 4000;
/** Answers of the old version from which it is settled what is slow: their p99 is then known to a tenth of a percent or so. */
const LATENCIES_WANTED = 20_000;
/** So many are enough when clients come to the new version: the p99 is that of ten answers. */
const LATENCIES_NEEDED = 1000;
/** How often the latencies are looked at, in ms. */
const LATENCIES_EVERY = 1000;
/** Windows without traffic count as such, as far as that says anything of the traffic now. */
const MOST_WINDOWS = 60;
/** Users of whom it is remembered that they met an error. */
const MOST_REMEMBERED = 100_000;
const QUANTILES = [0.5, 0.9, 0.99] as const;
const SLOW: ReadonlySet<string> = new Set(slowSignals().map(({ name }) => name));

export interface JuryOptions {
  readonly roster: Roster;
  /** A reader of these signals, which begins anew. */
  readonly outside: (names: readonly string[]) => OutsideCounts;
  /** Ms since the epoch. */
  readonly now: () => number;
}

type VerdictEffect = Extract<ReleaseEffect, { kind: "verdict" }>;

/** What is known here of a case besides what is kept of it. */
interface Sitting {
  case: Case;
  readonly outside: OutsideCounts;
  /** Clients that failed in the present ten minutes. */
  readonly seen: Set<number>;
  memory: number;
  readonly met: Set<number>;
}

/**
 * Judges the versions under release: takes the windows that all gateways have told of, adds them to the evidence, and says what
 * follows. The evidence is kept in the roster, so that the next gateway that runs the releases goes on with it.
 */
export class Jury {
  readonly #options: JuryOptions;
  readonly #sittings = new Map<string, Sitting>();
  readonly #latenciesAt = new Map<string, number>();

  constructor(options: JuryOptions) {
    this.#options = options;
  }

  /** Nothing is known any more of apps but these: another gateway may have gone on with them. */
  retain(apps: readonly string[]): void {
    for (const known of [this.#sittings, this.#latenciesAt]) {
      for (const app of known.keys()) if (!apps.includes(app)) known.delete(app);
    }
  }

  /** The verdict after the windows that came since the last one; undefined: none did. Throws `DirectoryUnavailable`. */
  async hear(app: StoredApp, state: ReleaseState, effect: VerdictEffect): Promise<VerdictReport | undefined> {
    const { window: length, warmUp, settings } = state.plan.verdict;
    if (state.reachedAt === null || settings.signals.length === 0) return undefined;
    const sitting = await this.#sittingOf(app.name, state, effect);
    const now = this.#options.now();
    const first = Math.max(sitting.case.lastWindow + 1, Math.ceil((state.reachedAt + warmUp) / length));
    const last = Math.floor((now - JUDGED_AFTER) / length) - 1;
    if (last < first) return undefined;
    const { records } = await hearOf(this.#options.roster, app.name);
    const tallies = records.flatMap((record) => (record?.tally?.release === state.id ? [record.tally] : []));
    const sides = sidesOf(app.document, effect.group);
    const { comparisons, problems } = await sitting.outside.take({
      app: app.name,
      release: state.id,
      test: sides.test,
      rest: sides.rest,
    });
    const windows = windowsOf(tallies, first, last);
    const shown = Math.max(first, last - MOST_WINDOWS);
    for (let number = shown; number <= last; number++) {
      const window = windows.get(number);
      if (window !== undefined) this.#remember(sitting, window, length);
      const own = window === undefined ? {} : compareWindow(window, sides.of, sitting.seen);
      this.#add(sitting, state, { ...own, ...(number === last && Object.fromEntries(comparisons)) });
    }
    const report = reportOf(sitting.case, state, effect, {
      now,
      problems,
      secondsLeft: secondsLeft(state, now),
    });
    sitting.case = { ...sitting.case, lastWindow: last, report };
    await this.#options.roster.keepVerdict(app.name, { release: state.id, state: keptCase(sitting.case) });
    return report;
  }

  /**
   * A release that goes back is not judged any more, but until it is over it is still learnt who met an error before
   * everybody was back. Throws `DirectoryUnavailable`.
   */
  async follow({ name }: StoredApp, state: ReleaseState): Promise<void> {
    const sitting = this.#sittings.get(name);
    const { window: length } = state.plan.verdict;
    if (sitting?.case.release !== state.id || sitting.case.report === null) return;
    const last = Math.floor((this.#options.now() - JUDGED_AFTER) / length) - 1;
    if (last <= sitting.case.lastWindow) return;
    const { records } = await hearOf(this.#options.roster, name);
    const tallies = records.flatMap((record) => (record?.tally?.release === state.id ? [record.tally] : []));
    for (const window of windowsOf(tallies, sitting.case.lastWindow + 1, last).values()) {
      this.#remember(sitting, window, length);
    }
    const { users, report } = sitting.case;
    sitting.case = { ...sitting.case, lastWindow: last, report: report && withUsers(report, users) };
    await this.#options.roster.keepVerdict(name, { release: state.id, state: keptCase(sitting.case) });
  }

  /** What is slow, in ms by quantile, once that can be told; undefined: not yet, or it is settled. Throws `DirectoryUnavailable`. */
  async slower({ name }: StoredApp, state: ReleaseState): Promise<readonly number[] | undefined> {
    const judged = state.plan.verdict.settings.signals.some(({ name: signal }) => SLOW.has(signal));
    if (!judged || state.slower !== null || state.direction === "back" || !isFirstTurn(state))
      return undefined;
    const now = this.#options.now();
    if (now - (this.#latenciesAt.get(name) ?? 0) < LATENCIES_EVERY) return undefined;
    this.#latenciesAt.set(name, now);
    const { records } = await hearOf(this.#options.roster, name);
    const counts = Array.from({ length: SCALE_LENGTH }, () => 0);
    for (const record of records) {
      if (record?.tally?.release !== state.id) continue;
      for (const [step, count] of record.tally.latencies) if (step in counts) counts[step]! += count;
    }
    const all = counts.reduce((sum, count) => sum + count, 0);
    if (all < (state.stage.kind === "shifting" ? LATENCIES_NEEDED : LATENCIES_WANTED)) return undefined;
    return QUANTILES.map((part) => quantile(counts, part)!);
  }

  async #sittingOf(app: string, state: ReleaseState, { group, step }: VerdictEffect): Promise<Sitting> {
    const { settings } = state.plan.verdict;
    let sitting = this.#sittings.get(app);
    if (sitting?.case.release !== state.id) {
      const kept = await this.#options.roster.verdict(app);
      const known = kept?.release === state.id ? readCase(kept.state) : undefined;
      const outside = settings.signals.map(({ name }) => name).filter((name) => !OWN_SIGNALS.includes(name));
      sitting = {
        case: known ?? newCase(state, group),
        outside: this.#options.outside(outside),
        seen: new Set(),
        memory: 0,
        met: new Set(),
      };
      this.#sittings.set(app, sitting);
    }
    const before = sitting.case;
    const quarantined = state.quarantined.length;
    if (before.group !== group || before.quarantined !== quarantined) {
      // Another group is another question; so is the same one without a server that was broken.
      sitting.case = { ...before, group, quarantined, step, evidence: newEvidence(settings) };
    } else if (before.step !== step) {
      // No increment may be of two shares.
      sitting.outside.beginAnew();
      sitting.case = { ...before, step, evidence: beginStep(settings, before.evidence) };
    }
    return sitting;
  }

  #add(sitting: Sitting, state: ReleaseState, window: VerdictWindow): void {
    const evidence = addWindow(state.plan.verdict.settings, sitting.case.evidence, window);
    sitting.case = { ...sitting.case, evidence };
  }

  /** Who met an error, and what testers saw; the memory of who failed ends with its ten minutes. */
  #remember(sitting: Sitting, { window, part, met, testers }: TallyWindow, length: number): void {
    const memory = Math.floor((window * length) / MEMORY);
    if (memory !== sitting.memory) sitting.seen.clear();
    sitting.memory = memory;
    let users = 0;
    for (const client of met) {
      if (sitting.met.has(client)) continue;
      if (sitting.met.size < MOST_REMEMBERED) sitting.met.add(client);
      users += 1 / part;
    }
    const { case: before } = sitting;
    sitting.case = {
      ...before,
      users: before.users + users,
      testers: [before.testers[0] + testers[0], before.testers[1] + testers[1]],
    };
  }
}

function newCase(state: ReleaseState, group: string): Case {
  return {
    release: state.id,
    group,
    quarantined: state.quarantined.length,
    step: state.step,
    lastWindow: 0,
    evidence: newEvidence(state.plan.verdict.settings),
    users: 0,
    testers: [0, 0],
    report: null,
  };
}

function isFirstTurn(state: ReleaseState): boolean {
  return groupInTurn(state) === state.groups[0];
}

/** What all gateways counted together, by window; those of which not all could be told are left out. */
function windowsOf(
  tallies: readonly AppTally[],
  first: number,
  last: number,
): ReadonlyMap<number, TallyWindow> {
  const windows = new Map<number, TallyWindow>();
  for (const one of tallies.flatMap((tally) => tally.windows)) {
    if (one.window < first || one.window > last) continue;
    const known = windows.get(one.window);
    windows.set(one.window, known === undefined ? one : addWindows(known, one));
  }
  for (const [number, { overflow }] of windows) if (overflow) windows.delete(number);
  return windows;
}

/** Which servers are compared with which: those of the group against those of all groups that serve beside it. */
function sidesOf(
  document: AppDocument,
  group: string,
): { readonly of: SideOf; readonly test: CountedSide; readonly rest: CountedSide } {
  const of = new Map<string, Side>();
  const { groups } = compileApp(document, 0);
  for (const { name, standby, servers } of groups) {
    if (standby) continue;
    for (const { id } of servers) of.set(id, name === group ? "test" : "rest");
  }
  const side = (wanted: Side): CountedSide => ({
    groups: groups
      .filter(({ name, standby }) => !standby && (name === group) === (wanted === "test"))
      .map(({ name }) => name),
    servers: [...of].filter(([, one]) => one === wanted).map(([id]) => id),
  });
  return { of, test: side("test"), rest: side("rest") };
}

/** Until time ends the step; of one that a person ends, an hour. */
function secondsLeft(state: ReleaseState, now: number): number {
  const limit = timeLimit(state);
  return limit === null ? 3600 : Math.max(0, limit - elapsed(state, now)) / 1000;
}
