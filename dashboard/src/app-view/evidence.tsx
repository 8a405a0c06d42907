import type { JSX } from "preact";
import type { VerdictJson } from "../../../src/admin/verdict-schemas.ts";
import { clockTime, number, short } from "../text/format.ts";
import { t } from "../text/translate.ts";
import { type LogAxis, logAxis } from "./log-axis.ts";

type Signal = VerdictJson["signals"][number];

/** Is the new version worse? Both meters, every signal's risk, and what it means in words. */
export function Evidence({ verdict }: { readonly verdict: VerdictJson }): JSX.Element {
  const { answer, unequal, beyond, notWorse, signals, words, testers, at } = verdict;
  const worse = unequal.part < beyond.part ? unequal : beyond;
  const axis = logAxis(
    signals.flatMap(({ risk, interval, worseThan, notWorseThan }) => [
      risk,
      interval.low,
      interval.high,
      worseThan,
      notWorseThan,
    ]),
  );
  return (
    <section class="panel evidence" aria-labelledby="evidence">
      <h2 id="evidence">
        {t("evidence.title")} <span class={`badge verdict-${answer}`}>{t(`verdict.${answer}`)}</span>
      </h2>
      {answer !== "none" && (
        <div class="meters">
          <Meter label={t("evidence.worse")} kind="bad" meter={worse} />
          <Meter label={t("evidence.notWorse")} kind="good" meter={notWorse} />
        </div>
      )}
      {signals.length > 0 && (
        <div class="signals">
          {signals.map((signal) => (
            <SignalRow key={signal.name} signal={signal} axis={axis} />
          ))}
          <Ticks axis={axis} />
        </div>
      )}
      <ul class="words" lang="en">
        {words.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <p class="quiet">
        {testers.requests > 0 &&
          `${t("evidence.testers", { requests: testers.requests, failed: testers.failed })} `}
        {at !== null && t("evidence.at", { time: clockTime(at) })}
      </p>
    </section>
  );
}

interface MeterProps {
  readonly label: string;
  readonly kind: "good" | "bad";
  readonly meter: VerdictJson["unequal"];
}

/** Dots in a row: as many of them dark as the way is done. */
function Meter({ label, kind, meter }: MeterProps): JSX.Element {
  const DOTS = 24;
  const { evidence, needed, part } = meter;
  const words = t("evidence.of", { evidence: short(evidence), needed: short(needed) });
  return (
    <div class={`meter ${kind}`}>
      <span class="label">{label}</span>
      <svg
        viewBox={`0 0 ${DOTS * 10} 10`}
        preserveAspectRatio="xMinYMid"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(part * 100)}
        aria-valuetext={words}
      >
        {Array.from({ length: DOTS }, (_, dot) => {
          const level = Math.min(1, Math.max(0, part * DOTS - dot));
          return (
            <circle key={dot} cx={dot * 10 + 5} cy={5} r={1.4 + 3 * level} class={level > 0 ? "on" : ""} />
          );
        })}
      </svg>
      <span class="n">{words}</span>
    </div>
  );
}

/** The risk and where it lies: how many times as often it is bad in the new version. */
function SignalRow({ signal, axis }: { readonly signal: Signal; readonly axis: LogAxis }): JSX.Element {
  const { name, test, rest, risk, interval, worseThan, notWorseThan, problem } = signal;
  const low = axis.place(interval.low);
  const high = interval.high === null ? 100 : axis.place(interval.high);
  const range = rangeInWords(interval);
  const words = risk === null ? range : `${t("evidence.times", { risk: short(risk) })}, ${range}`;
  const kind =
    interval.low > worseThan ? "bad" : interval.high !== null && interval.high < notWorseThan ? "good" : "";
  return (
    <div class="signal">
      <span class="label" title={signal.what}>
        {name}
      </span>
      <svg
        class={kind}
        viewBox="0 0 100 12"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name}: ${words}`}
      >
        <line class="axis" x1="0" x2="100" y1="6" y2="6" />
        <line class="one" x1="50" x2="50" y1="0" y2="12" />
        <line class="limit" x1={axis.place(worseThan)} x2={axis.place(worseThan)} y1="1" y2="11" />
        <line class="limit" x1={axis.place(notWorseThan)} x2={axis.place(notWorseThan)} y1="1" y2="11" />
        <line class="interval" x1={low} x2={Math.max(high, low + 0.4)} y1="6" y2="6" />
        {risk !== null && <line class="risk" x1={axis.place(risk)} x2={axis.place(risk)} y1="2" y2="10" />}
      </svg>
      <span class="numbers">
        <span class="n">{words}</span>
        <small class="quiet">
          {t("evidence.counts", {
            test: number(test.bad),
            testAll: number(test.total),
            rest: number(rest.bad),
            restAll: number(rest.total),
          })}
        </small>
        {problem !== null && (
          <small class="quiet" lang="en">
            {problem}
          </small>
        )}
      </span>
    </div>
  );
}

function Ticks({ axis }: { readonly axis: LogAxis }): JSX.Element {
  return (
    <div class="signal ticks" aria-hidden="true">
      <span class="label">{t("evidence.axis")}</span>
      <span class="tick-line">
        {axis.ticks.map((tick) => (
          <span key={tick} style={{ left: `${axis.place(tick)}%` }}>
            {tick}×
          </span>
        ))}
      </span>
      <span class="numbers" />
    </div>
  );
}

function rangeInWords({ low, high }: Signal["interval"]): string {
  if (high !== null) return t("evidence.range", { low: short(low), high: short(high) });
  return low > 0 ? t("evidence.atLeast", { low: short(low) }) : t("evidence.unknown");
}
