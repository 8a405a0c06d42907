// @ts-check
import { aligned } from "./report.mjs";
import { LIMITS } from "./slow-limits.mjs";

/** @typedef {{ phases: readonly import("./slow-clients.mjs").Phase[], swarms: readonly import("./slow-clients.mjs").SwarmReport[], samples: readonly import("./memory-record.mjs").MemorySample[] }} SlowResult */

/** What must hold. */
const MOST_P99_RATIO = 2;
const MOST_MEMORY_RATIO = 1.1;
/** Over a limit: the clock looks every 50 ms, and a client may take 2 s to read why it is thrown out. */
const SLACK = 2.5;
const FIRST_MINUTE = 60_000;

/**
 * Seconds that a client of each kind may stay. A reader's silence counts from when the kernel's buffers are full, and they
 * may grow once more when its time is nearly over.
 */
const LONGEST = { head: LIMITS.header + SLACK, body: LIMITS.idle + SLACK, reader: 2 * LIMITS.idle + SLACK };

/** @param {SlowResult} result */
export function slowReport({ phases, swarms, samples }) {
  const others = aligned([
    [
      "slow clients",
      "requests",
      "p50",
      "p99",
      "max",
      "not 200",
      "worker",
      "RSS at the end",
      "generator late p99",
      "others",
    ],
    ...phases.map(({ name, load, coreUse, othersUse, to }) => [
      name,
      String(load.ok),
      ms(load.okLatency.p50),
      ms(load.okLatency.p99),
      ms(load.okLatency.max),
      String(notServed(load)),
      percent(coreUse),
      `${memoryAt(samples, to).toFixed(0)} MiB`,
      ms(load.lateness.p99),
      percent(othersUse),
    ]),
  ]);
  const kinds = aligned([
    ["slow", "came", "how it ended", "stayed p50", "longest", "left"],
    ...swarms.flatMap(({ kinds }) =>
      Object.entries(kinds).map(([kind, { came, ends, p50, longest, left }]) => [
        kind,
        String(came),
        Object.entries(ends)
          .map(([end, count]) => `${count} ${end}`)
          .join(", "),
        `${p50?.toFixed(1)} s`,
        `${longest?.toFixed(1)} s`,
        String(left),
      ]),
    ),
  ]);
  const gone = swarms.map(({ goneAfter }) => `${goneAfter.toFixed(1)} s`).join(", ");
  return `${others}\n\n${kinds}\nall gone after ${gone}`;
}

/**
 * @param {SlowResult} result
 * @returns {string[]}
 */
export function slowReservations({ phases, swarms, samples }) {
  const found = [];
  const p99 = (/** @type {string} */ name) =>
    median(phases.filter((phase) => phase.name === name).map(({ load }) => load.okLatency.p99 ?? Infinity));
  const ratio = p99("with") / p99("without");
  if (ratio > MOST_P99_RATIO)
    found.push(`the others' p99 is ${ratio.toFixed(1)} times as long with slow clients`);
  for (const { name, load, othersUse } of phases) {
    if (notServed(load) > 0)
      found.push(`${name}: ${notServed(load)} of the others' requests were not answered 200`);
    if (othersUse > 0.05) found.push(`${name}: other programs used ${percent(othersUse)} of a core`);
  }
  const attacks = phases.filter(({ name }) => name === "with");
  const [first] = attacks;
  if (first !== undefined && first.to - first.from > FIRST_MINUTE) {
    const minute = memoryAt(samples, first.from + FIRST_MINUTE);
    const end = Math.max(...attacks.map(({ to }) => memoryAt(samples, to)));
    if (end > minute * MOST_MEMORY_RATIO) {
      found.push(`memory grew from ${minute.toFixed(0)} MiB after the first minute to ${end.toFixed(0)} MiB`);
    }
  } else found.push("too short to tell whether memory is flat after the first minute");
  for (const { kinds } of swarms) {
    for (const [kind, { left, longest }] of Object.entries(kinds)) {
      if (left > 0) found.push(`${left} slow clients (${kind}) were still there at the end`);
      const most = LONGEST[/** @type {keyof typeof LONGEST} */ (kind)];
      if (longest > most)
        found.push(`a slow client (${kind}) stayed ${longest.toFixed(1)} s, not at most ${most} s`);
    }
  }
  return found;
}

/** @param {import("./generate.mjs").GeneratorReport} load */
function notServed(load) {
  return load.rejected + load.bareRejected + load.otherStatus + load.failed + load.unanswered + load.unsent;
}

/**
 * @param {readonly import("./memory-record.mjs").MemorySample[]} samples
 * @param {number} at
 */
function memoryAt(samples, at) {
  return samples.findLast((sample) => sample.at <= at)?.mib ?? NaN;
}

/** @param {readonly number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** @param {number | null} value */
function ms(value) {
  return value === null ? "-" : `${value.toFixed(1)} ms`;
}

/** @param {number} value */
function percent(value) {
  return `${Math.round(value * 100)} %`;
}
