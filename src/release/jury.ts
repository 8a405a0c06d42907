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
import type { AppRecord, Roster } from "../fleet/roster.ts";
import { hearOf } from "../fleet/traffic.ts";
import { keptCase, readCase, type Case } from "./case.ts";
import type { OutsideCounts, OutsideTaken } from "./outside-counts.ts";
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

const NOTHING_OUTSIDE: OutsideTaken = { comparisons: new Map(), problems: new Map() };

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

  /**
   * The verdict after the windows that came since the last one; undefined: none did that counts. While there is nothing to
   * judge (`effect` undefined) it is heard what testers saw, and who met an error before a rollback had everybody back. Throws `DirectoryUnavailable`.
   */
  async hear(
    app: StoredApp,
    state: ReleaseState,
    effect: VerdictEffect | undefined,
  ): Promise<VerdictReport | undefined> {
    const { window: length, warmUp, settings } = state.plan.verdict;
    if (settings.signals.length === 0) return undefined;
    const sitting = await this.#sittingOf(app, state, effect);
    const now = this.#options.now();
    const next = sitting.case.lastWindow + 1;
    const last = Math.floor((now - JUDGED_AFTER) / length) - 1;
    if (last < next) return undefined;
    const { records } = await hearOf(this.#options.roster, app.name);
    const windows = windowsOf(records, state, next, last);
    const sides = sidesOf(app.document, sitting.case.group);
    const isReached = effect !== undefined && state.reachedAt !== null;
    const judged = isReached ? Math.ceil((state.reachedAt + warmUp) / length) : Infinity;
    const { test, rest } = sides;
    const { comparisons, problems } = isReached
      ? await sitting.outside.take({ app: app.name, release: state.id, test, rest })
      : NOTHING_OUTSIDE;
    const before = sitting.case;
    for (let number = Math.max(next, last - MOST_WINDOWS); number <= last; number++) {
      const window = windows.get(number);
      if (window !== undefined) this.#remember(sitting, window, length);
      if (number < judged) continue;
      const own = window === undefined ? {} : compareWindow(window, sides.of, sitting.seen);
      this.#add(sitting, state, { ...own, ...(number === last && Object.fromEntries(comparisons)) });
    }
    const isChanged = sitting.case !== before;
    sitting.case = { ...sitting.case, lastWindow: last };
    if (effect === undefined || last < judged) {
      const { users, report } = sitting.case;
      sitting.case = { ...sitting.case, report: report && withUsers(report, users) };
      if (isChanged) await this.#keep(app.name, sitting);
      return undefined;
    }
    const circumstances = { now, problems, secondsLeft: secondsLeft(state, now) };
    const report = reportOf(sitting.case, state, effect, circumstances);
    sitting.case = { ...sitting.case, report };
    await this.#keep(app.name, sitting);
    return report;
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

  async #sittingOf(
    { name: app, document }: StoredApp,
    state: ReleaseState,
    effect: VerdictEffect | undefined,
  ): Promise<Sitting> {
    const { settings } = state.plan.verdict;
    let sitting = this.#sittings.get(app);
    if (sitting?.case.release !== state.id) {
      const kept = await this.#options.roster.verdict(app);
      const known = kept?.release === state.id ? readCase(kept.state) : undefined;
      const outside = settings.signals.map(({ name }) => name).filter((name) => !OWN_SIGNALS.includes(name));
      sitting = {
        case: known ?? newCase(state),
        outside: this.#options.outside(outside),
        seen: new Set(),
        memory: 0,
        met: new Set(),
      };
      this.#sittings.set(app, sitting);
    }
    if (effect === undefined) return sitting;
    const before = sitting.case;
    const { group, step } = effect;
    // Those that the release has put there, and those that people have put there or lifted.
    const quarantined = [...state.quarantined, "now", ...(document.quarantine ?? [])].join(" ");
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

  async #keep(app: string, { case: kept }: Sitting): Promise<void> {
    await this.#options.roster.keepVerdict(app, { release: kept.release, state: keptCase(kept) });
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
    if (met.length === 0 && testers[0] === 0) return;
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

function newCase(state: ReleaseState): Case {
  return {
    release: state.id,
    group: groupInTurn(state)!.name,
    quarantined: "",
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

/** What all gateways counted together, by window. One whose windows are of another length says nothing. */
function windowsOf(
  records: readonly (AppRecord | undefined)[],
  { id, plan }: ReleaseState,
  first: number,
  last: number,
): ReadonlyMap<number, TallyWindow> {
  const windows = new Map<number, TallyWindow>();
  for (const record of records) {
    const { release, length, windows: told } = record?.tally ?? {};
    if (release !== id || length !== plan.verdict.window) continue;
    for (const one of told ?? []) {
      if (one.window < first || one.window > last) continue;
      const known = windows.get(one.window);
      windows.set(one.window, known === undefined ? one : addWindows(known, one));
    }
  }
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
