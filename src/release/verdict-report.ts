import type { ReleaseEffect } from "../core/release-effects.ts";
import type { ReleaseState } from "../core/release-state.ts";
import type { Counts } from "../core/verdict/counts.ts";
import { forecast, type Expectation, type SignalForecast } from "../core/verdict/forecast.ts";
import { judge, type Answer } from "../core/verdict/judge.ts";
import type { Meter } from "../core/verdict/meter.ts";
import type { SignalVerdict } from "../core/verdict/signal-verdict.ts";
import { slowSignals } from "../core/verdict/verdict-settings.ts";
import { verdictInWords } from "../core/verdict/verdict-words.ts";
import type { Case } from "./case.ts";

/** The evidence so far, as people and the API see it. Times are in ms since the epoch. */
export interface VerdictReport {
  readonly release: string;
  readonly group: string;
  /** The step of the release that it is about. */
  readonly step: number;
  readonly share: number;
  readonly at: number;
  readonly answer: Answer;
  /** With `worse` only: the one server that is broken, while the version is not. */
  readonly badServer: string | null;
  /** In sentences, the conclusion first. */
  readonly words: readonly string[];
  /** Against "both versions are alike", since the release began. Worse takes this and the next. */
  readonly unequal: Meter;
  /** Against "the difference is a trifle". */
  readonly beyond: Meter;
  /** Against "at least `notWorseThan` times as bad", since the step began. */
  readonly notWorse: Meter;
  readonly signals: readonly SignalReport[];
  /** Clients, testers apart, who met an error of the new version since the release began. */
  readonly usersWithErrors: number;
  /** Judged apart, as they are no random draw: their requests to the new version, and how many failed. */
  readonly testers: { readonly requests: number; readonly failed: number };
  /** Latencies in ms above which an answer is slow, by quantile of the old version; null: not settled yet. */
  readonly slower: { readonly p50: number; readonly p90: number; readonly p99: number } | null;
}

export interface SignalReport extends Omit<SignalVerdict, "risk" | "interval"> {
  readonly test: Counts;
  readonly rest: Counts;
  /** How many times as often it is bad in the new version; null: the others have nothing bad. */
  readonly risk: number | null;
  /** Where that lies; `high` null: nothing is too high. */
  readonly interval: { readonly low: number; readonly high: number | null };
  readonly worseThan: number;
  readonly notWorseThan: number;
  /** Outcomes a second, both sides together. */
  readonly rate: number;
  /** What is still needed until it is found worse, if it goes on like this; null: it does not look worse. */
  readonly untilWorse: Expectation | null;
  /** Until it is proven not worse, if both are alike; null: without traffic never. */
  readonly untilNotWorse: Expectation | null;
  /** The least rise that would be found within the step in half of all cases, and in nine of ten; null: none. */
  readonly findable: number | null;
  readonly surelyFindable: number | null;
  /** Why there are no counts of it; null: there are, or there was no traffic. */
  readonly problem: string | null;
}

const SLOW: ReadonlySet<string> = new Set(slowSignals().map(({ name }) => name));

export interface Circumstances {
  readonly now: number;
  /** By signal: why it has no data. */
  readonly problems: ReadonlyMap<string, string>;
  readonly secondsLeft: number;
}

export function reportOf(
  { evidence, group, users, testers }: Omit<Case, "report">,
  state: ReleaseState,
  { share }: Extract<ReleaseEffect, { kind: "verdict" }>,
  { now, problems, secondsLeft }: Circumstances,
): VerdictReport {
  const { settings, window } = state.plan.verdict;
  const outlook = { windowSeconds: window / 1000, secondsLeft };
  const verdict = judge(settings, evidence);
  const forecasts = forecast(settings, evidence, outlook);
  const usersWithErrors = Math.round(users);
  const [requests, failed] = testers;
  const [p50, p90, p99] = state.slower ?? [];
  const signals = verdict.signals.map((signal, index) =>
    signalReport(
      signal,
      settings.signals[index]!,
      forecasts[index]!,
      problems.get(signal.name) ?? notSettled(signal.name, state),
    ),
  );
  // Of a signal that has no counts the reason is told, not its zeros.
  const known = <T>(all: readonly T[]): readonly T[] =>
    all.filter((_, index) => verdict.answer !== "notEnough" || signals[index]!.problem === null);
  const conclusionInWords = (): readonly string[] =>
    verdictInWords(
      { ...settings, signals: known(settings.signals) },
      { ...verdict, signals: known(verdict.signals) },
      known(forecasts),
      outlook,
    );
  return {
    release: state.id,
    group,
    step: state.step,
    share,
    at: now,
    answer: verdict.answer,
    badServer: verdict.badServer ?? null,
    words: [...conclusionInWords(), ...problemsInWords(signals), ...usersInWords(usersWithErrors)],
    unequal: verdict.unequal,
    beyond: verdict.beyond,
    notWorse: verdict.notWorse,
    signals,
    usersWithErrors,
    testers: { requests, failed },
    slower: p50 === undefined ? null : { p50, p90: p90!, p99: p99! },
  };
}

/** The same report, when more users are known to have met an error. */
export function withUsers(report: VerdictReport, users: number): VerdictReport {
  const usersWithErrors = Math.round(users);
  const before = new Set(usersInWords(report.usersWithErrors));
  const words = [
    ...report.words.filter((sentence) => !before.has(sentence)),
    ...usersInWords(usersWithErrors),
  ];
  return { ...report, usersWithErrors, words };
}

function signalReport(
  { risk, interval, ...verdict }: SignalVerdict,
  { worseThan, notWorseThan }: { readonly worseThan: number; readonly notWorseThan: number },
  { rate, worse, notWorse, findable, surelyFindable }: SignalForecast,
  problem: string | null,
): SignalReport {
  return {
    ...verdict,
    risk: risk ?? null,
    interval: { low: interval.low, high: interval.high ?? null },
    worseThan,
    notWorseThan,
    rate,
    untilWorse: worse ?? null,
    untilNotWorse: notWorse ?? null,
    findable: findable ?? null,
    surelyFindable: surelyFindable ?? null,
    problem,
  };
}

function notSettled(signal: string, { slower }: ReleaseState): string | null {
  if (!SLOW.has(signal) || slower !== null) return null;
  return "what is slow is not settled yet, as too few answers of the old version were seen since the release began";
}

/** Several signals may have the same problem, which is said once. */
function problemsInWords(signals: readonly SignalReport[]): readonly string[] {
  const reasons = new Set(signals.flatMap(({ problem }) => problem ?? []));
  return Array.from(reasons, (reason) => {
    const names = signals.filter(({ problem }) => problem === reason).map(({ name }) => name);
    return `Nothing is known of ${names.join(", ")}: ${reason}.`;
  });
}

function usersInWords(users: number): readonly string[] {
  if (users === 0) return [];
  return [`${users === 1 ? "1 user" : `${users} users`} met an error of the new version.`];
}
