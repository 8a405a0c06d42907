/** By what a version is judged, and how sure the verdict has to be. Plain JSON; fixed while a release runs. */
export interface VerdictSettings {
  /** Chance (more than 0, less than 1) that a version like the old one is called worse, in all looks at it together. */
  readonly alpha: number;
  /** Chance of calling a version not worse that is, and of calling a difference within `worseThan` more than that. */
  readonly beta: number;
  /** What counts; at least one. */
  readonly signals: readonly SignalSettings[];
}

/** One kind of bad outcome, counted on both sides. */
export interface SignalSettings {
  readonly name: string;
  /** What the bad ones are called, in the plural. */
  readonly what: string;
  /** A version is worse if its risk is more than so many times (1 or more) that of the others. */
  readonly worseThan: number;
  /** It is proven not worse if its risk is less than so many times (more than 1) that of the others. */
  readonly notWorseThan: number;
  /**
   * Part of bad ones (more than 0, less than 1) that is accepted whatever the others have; null: none is. It settles
   * what the relative risk cannot, where next to nothing is bad.
   */
  readonly acceptable: number | null;
  /** Its part in the mean of the evidence for worse, beside those of the other signals. */
  readonly weight: number;
}

export interface Margins {
  readonly worseThan: number;
  readonly notWorseThan: number;
}

export const ERROR_MARGINS: Margins = { worseThan: 1.2, notWorseThan: 2 };
/** Of latency, as multiples of the odds that an answer is slow. A tenth is what 3 to 5 % more time makes. */
export const SLOW_MARGINS: Margins = { worseThan: 1.1, notWorseThan: 2 };
/** One in a thousand. */
const ACCEPTABLE = 0.001;
/**
 * Errors count three times as much as latency, which is the mean of its quantiles, and as a signal from the outside: users
 * forgive slowness sooner, and of errors there are few to learn from.
 */
const ERRORS_WEIGHT = 3;
const QUANTILES = [50, 90, 99] as const;

/** Errors: at most one for each client and window, so that one client's burst is not taken for many failures. */
export function errorSignal(
  margins: Margins = ERROR_MARGINS,
  acceptable: number | null = ACCEPTABLE,
): SignalSettings {
  return { name: "errors", what: "errors", ...margins, acceptable, weight: ERRORS_WEIGHT };
}

/**
 * Answers slower than the stable group's p50, p90 and p99, which are frozen before the comparison begins; time-outs are
 * slow. Integer counters are all it needs, and drifting latencies are harmless as both sides drift.
 */
export function slowSignals(margins: Margins = SLOW_MARGINS): readonly SignalSettings[] {
  return QUANTILES.map((quantile) => {
    const base = 1 - quantile / 100;
    return {
      name: `slow${quantile}`,
      what: `answers slower than p${quantile}`,
      worseThan: riskOfOdds(margins.worseThan, base),
      notWorseThan: riskOfOdds(margins.notWorseThan, base),
      // As the old version was. Where both have got faster since, next to nothing is slow, and nothing to compare.
      acceptable: base,
      weight: 1 / QUANTILES.length,
    };
  });
}

/** Counts that come from elsewhere (a query, a webhook), judged by the same tests. */
export function outsideSignal(name: string, margins: Margins = ERROR_MARGINS): SignalSettings {
  return { name, what: name, ...margins, acceptable: null, weight: 1 };
}

export const DEFAULT_SETTINGS: VerdictSettings = {
  alpha: 0.01,
  beta: 0.05,
  signals: [errorSignal(), ...slowSignals()],
};

/** What a plan says of verdicts. Plain JSON. */
export interface VerdictPlan {
  readonly settings: VerdictSettings;
  /** Length of a window in ms. */
  readonly window: number;
  /** Milliseconds from the begin of a step that do not count: caches are cold, and not everybody has come yet. */
  readonly warmUp: number;
}

export const DEFAULT_VERDICT_PLAN: VerdictPlan = {
  settings: DEFAULT_SETTINGS,
  window: 10_000,
  warmUp: 10_000,
};

/** Names of the signals that are counted by the gateways themselves; others are read from elsewhere. */
export const OWN_SIGNALS: readonly string[] = DEFAULT_SETTINGS.signals.map(({ name }) => name);

/**
 * The relative risk that so many times the odds are, where the part `base` is bad. Half of all answers are slower than
 * the median, and twice as many cannot be: twice the odds are 1.33 times as many; of rare ones they are twice as many.
 */
function riskOfOdds(times: number, base: number): number {
  return times / (1 - base + base * times);
}
