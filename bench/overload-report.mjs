// @ts-check
import { aligned } from "./report.mjs";

/** @typedef {{ id: string, title: string, rounds: readonly import("./overload.mjs").OverloadRound[] }} OverloadRow */

/** What must hold, and what makes a figure worth nothing. */
const LEAST_GOODPUT = 0.85;
const LONGEST_REFUSAL_MS = 50;
const LATEST_GENERATOR_MS = 20;

/**
 * One line for each round and multiple.
 * @param {readonly OverloadRow[]} rows
 */
export function overloadTable(rows) {
  const head = [
    "case",
    "round",
    "peak/s",
    "offered/s",
    "goodput/s",
    "of peak",
    "200 p50",
    "p99",
    "503",
    "503 p50",
    "p99",
  ];
  head.push("failed", "/readyz p50", "max", "worker", "generator", "late p99", "others");
  const lines = rows.flatMap(({ id, rounds }) =>
    rounds.flatMap(({ peak, overloads }, index) =>
      overloads.map(({ load, ready, coreUse, othersUse }) => [
        id,
        String(index + 1),
        peak.toFixed(0),
        ((load.sent + load.unsent) / load.seconds).toFixed(0),
        (load.ok / load.seconds).toFixed(0),
        percent(load.ok / load.seconds / peak),
        ms(load.okLatency.p50),
        ms(load.okLatency.p99),
        percent((load.rejected + load.bareRejected) / load.sent),
        ms(load.rejectedLatency.p50),
        ms(load.rejectedLatency.p99),
        String(load.failed + load.unanswered + load.otherStatus),
        ms(ready.p50),
        ms(ready.max),
        percent(coreUse),
        percent(load.coreUse),
        ms(load.lateness.p99),
        percent(othersUse),
      ]),
    ),
  );
  return aligned([head, ...lines]);
}

/**
 * What speaks against the gateway, or against quoting the figures.
 * @param {readonly OverloadRow[]} rows
 * @returns {string[]}
 */
export function overloadReservations(rows) {
  const found = [];
  for (const { id, rounds } of rows) {
    for (const [index, { peak, overloads }] of rounds.entries()) {
      for (const { times, load, ready, othersUse } of overloads) {
        const where = `${id}, round ${index + 1}, ${times} times the peak:`;
        const share = load.ok / load.seconds / peak;
        if (times >= 1 && share < LEAST_GOODPUT) found.push(`${where} goodput ${percent(share)} of the peak`);
        const refusal = load.rejectedLatency.p99 ?? 0;
        if (refusal > LONGEST_REFUSAL_MS) found.push(`${where} 503 after ${ms(refusal)} (p99)`);
        if (load.bareRejected > 0)
          found.push(`${where} ${load.bareRejected} answers 503 without Retry-After`);
        if (load.otherStatus > 0) found.push(`${where} ${load.otherStatus} answers neither 200 nor 503`);
        if (load.failed > 0) found.push(`${where} ${load.failed} failed: ${JSON.stringify(load.failures)}`);
        if (load.unanswered > 0) found.push(`${where} ${load.unanswered} unanswered`);
        if (ready.failed > 0) found.push(`${where} /readyz failed ${ready.failed} of ${ready.asked} times`);
        if (load.unsent > 0) found.push(`${where} ${load.unsent} not sent: too many connections were busy`);
        if (othersUse > 0.05) found.push(`${where} other programs used ${percent(othersUse)} of a core`);
        const late = load.lateness.p99 ?? 0;
        if (late > LATEST_GENERATOR_MS)
          found.push(`${where} the generator itself was ${ms(late)} late (p99)`);
      }
    }
  }
  return found;
}

/** @param {number | null} value */
function ms(value) {
  if (value === null) return "-";
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

/** @param {number} value */
function percent(value) {
  return `${Math.round(value * 100)} %`;
}
