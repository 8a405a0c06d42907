import type { Counts } from "./counts.ts";
import type { Outlook, SignalForecast } from "./forecast.ts";
import type { Verdict } from "./judge.ts";
import type { SignalVerdict } from "./signal-verdict.ts";
import type { SignalSettings, VerdictSettings } from "./verdict-settings.ts";

/**
 * A verdict in sentences that a person understands who has never heard of an e-process: what was found, on what, how sure
 * it is; and if it is not enough yet, what is missing and what could be found at all.
 */
export function verdictInWords(
  settings: VerdictSettings,
  verdict: Verdict,
  forecasts: readonly SignalForecast[],
  outlook: Outlook,
): readonly string[] {
  switch (verdict.answer) {
    case "worse":
      return worseInWords(settings, verdict);
    case "notWorse":
      return [
        "The new version is not worse.",
        ...settings.signals.map((signal, index) => notWorseInWords(signal, verdict.signals[index]!)),
        `A version that is worse by more than that would pass in at most ${oneIn(settings.beta)} cases.`,
      ];
    case "notEnough":
      return ["There is not enough evidence yet.", ...missingInWords(settings, verdict, forecasts, outlook)];
  }
}

/** The signal that is farthest from its proof first and in full, as the others wait for it; of those that are shown the names. */
function missingInWords(
  { signals }: VerdictSettings,
  verdict: Verdict,
  forecasts: readonly SignalForecast[],
  outlook: Outlook,
): readonly string[] {
  const partOf = (index: number): number => verdict.signals[index]!.notWorse.part;
  const missing = [...signals.keys()]
    .filter((index) => partOf(index) < 1)
    .sort((one, other) => partOf(one) - partOf(other));
  const shown = [...signals.keys()]
    .filter((index) => partOf(index) >= 1)
    .map((index) => signals[index]!.what);
  const [first, ...others] = missing.map((index) =>
    notEnoughInWords(signals[index]!, verdict.signals[index]!, forecasts[index]!, outlook),
  );
  return [
    ...(first ?? []),
    ...others.map(([comparison]) => comparison!),
    ...(shown.length === 0 ? [] : [`Shown already: not more ${shown.join(", ")}.`]),
  ];
}

function worseInWords(settings: VerdictSettings, verdict: Verdict): readonly string[] {
  const weighty = (index: number): number =>
    verdict.signals[index]!.unequal.evidence * settings.signals[index]!.weight;
  const order = [...verdict.signals.keys()].sort((one, other) => weighty(other) - weighty(one));
  const found = `${comparisonInWords(verdict.signals[order[0]!]!)}.`;
  const surely = `A version like the old one would look like this in at most ${oneIn(settings.alpha)} releases.`;
  return verdict.badServer === undefined
    ? ["The new version is worse.", found, surely]
    : [
        `The server ${verdict.badServer} is broken, not the new version: without it there is no evidence against that.`,
        found,
      ];
}

function notWorseInWords(settings: SignalSettings, signal: SignalVerdict): string {
  const { test, rest } = signal;
  const bound = settings.acceptable;
  const low = `${comparisonInWords(signal)}: less than ${times(settings.notWorseThan)} as many`;
  return bound === null || test.bad + rest.bad >= FEW
    ? `${low}.`
    : `${low}, or less than ${percent(bound)} in any case.`;
}

function notEnoughInWords(
  { what, worseThan, notWorseThan }: SignalSettings,
  signal: SignalVerdict,
  forecast: SignalForecast,
  outlook: Outlook,
): readonly string[] {
  const sentences = [`${comparisonInWords(signal)}.`];
  const { rate, worse, notWorse, findable } = forecast;
  if (worse !== undefined) {
    sentences.push(
      `If it goes on like this, about ${count(worse.bad)} more ${what} (${time(worse.seconds)}) will show that it is worse` +
        ` than ${times(worseThan)}.`,
    );
  }
  if (signal.notWorse.part < 1) {
    sentences.push(
      notWorse === undefined
        ? "Without traffic on both sides nothing can be shown."
        : `If both versions are alike, about ${count(notWorse.total)} more requests to the new one (${time(notWorse.seconds)})` +
            ` will show that it has less than ${times(notWorseThan)} as many.`,
    );
  }
  if (outlook.secondsLeft > 0) {
    const at = `At ${short(rate)} requests a second`;
    const left = `within the ${duration(outlook.secondsLeft)} left`;
    sentences.push(
      findable === undefined
        ? `${at} not even a rise to a hundred times as many would be found ${left}.`
        : `${at} a rise to ${times(findable)} as many would be found ${left} in about half of the cases${surely(forecast)}.`,
    );
  }
  return sentences;
}

function time(seconds: number): string {
  return `${duration(seconds)} at the present traffic`;
}

function surely({ surelyFindable }: SignalForecast): string {
  return surelyFindable === undefined ? "" : `, one to ${times(surelyFindable)} in nine of ten`;
}

/** Numbers are shown from and up to here. */
const SMALLEST = 1e-5;
const MOST = 1e15;
/** Bad ones on both sides together that are few. */
const FEW = 20;

/** "14 errors in 1,210 requests (1.2 %) against 20 in 10,790 (0.19 %): 6.2 times as many (2.9 to 14)" */
function comparisonInWords({ what, test, rest, risk, interval }: SignalVerdict): string {
  const compared = `${count(test.bad)} ${what} in ${part(test)} against ${count(rest.bad)} in ${part(rest)}`;
  if (risk === undefined || test.bad === 0) return compared;
  const high = interval.high === undefined ? "or more" : `to ${short(interval.high)}`;
  const estimate = short(risk) === "1" ? "as many" : `${times(risk)} as many`;
  return `${compared}: ${estimate} (${short(interval.low)} ${high})`;
}

function part({ total, bad }: Counts): string {
  return `${count(total)} requests${total > 0 ? ` (${percent(bad / total)})` : ""}`;
}

function oneIn(chance: number): string {
  return `1 of ${count(Math.round(1 / chance))}`;
}

function times(factor: number): string {
  return `${short(factor)} times`;
}

function percent(value: number): string {
  return `${short(value * 100)} %`;
}

/** Two digits that say something, and no exponent. */
function short(value: number): string {
  if (value >= 1000) return count(value);
  if (value < SMALLEST) return "0";
  const digits = Math.max(0, 1 - Math.floor(Math.log10(value)));
  return String(Number(value.toFixed(digits)));
}

function count(value: number): string {
  return Math.round(Math.min(value, MOST))
    .toString()
    .replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
}

function duration(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} seconds`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} minutes`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} hours`;
  return `${Math.round(seconds / 86_400)} days`;
}
