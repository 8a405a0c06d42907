// @ts-check

/**
 * One proxy in one round.
 * @typedef {object} Round
 * @property {number} cpuMicroseconds CPU time of the processes that carry traffic, per request
 * @property {number} supervisorMicroseconds CPU time of the process above them, per request
 * @property {number} requestsPerSecond
 * @property {number} coreUse share of the proxy's core that its processes used, 0 to 1
 * @property {number} othersUse CPU time other programs used meanwhile, on any core, in cores
 * @property {number} errors
 * @property {import("./load.mjs").LoadReport} load
 */
/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} title
 * @property {readonly Round[]} rounds
 */
/** @typedef {{ median: number, min: number, max: number }} Spread */

/**
 * @param {readonly number[]} values at least one
 * @returns {Spread}
 */
function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
  return { median, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

/**
 * Medians and extremes over the rounds. The ratio is formed within each round, whose measurements are neighbours in
 * time, before its median is taken: slow drift of the machine cancels out.
 * @param {readonly Row[]} rows
 */
export function summarise(rows) {
  const nginx = rows.find((row) => row.id === "nginx");
  return rows.map(({ id, title, rounds }) => ({
    id,
    title,
    cpuMicroseconds: spread(rounds.map((round) => round.cpuMicroseconds)),
    ratio:
      nginx === undefined
        ? undefined
        : spread(rounds.map((round, i) => round.cpuMicroseconds / (nginx.rounds[i]?.cpuMicroseconds ?? NaN))),
    supervisorMicroseconds: spread(rounds.map((round) => round.supervisorMicroseconds)),
    requestsPerSecond: spread(rounds.map((round) => round.requestsPerSecond)),
    coreUse: spread(rounds.map((round) => round.coreUse)),
    othersUse: spread(rounds.map((round) => round.othersUse)),
    errors: rounds.reduce((sum, round) => sum + round.errors, 0),
  }));
}

/** @typedef {ReturnType<typeof summarise>[number]} Summary */

/**
 * @param {readonly Summary[]} summaries
 * @returns {string}
 */
export function table(summaries) {
  const head = [
    "",
    "CPU µs/request",
    "ratio to nginx",
    "+ supervisor",
    "requests/s",
    "core use",
    "others",
    "errors",
  ];
  const lines = summaries.map((row) => [
    row.title,
    range(row.cpuMicroseconds, (value) => value.toFixed(1)),
    row.ratio === undefined ? "-" : range(row.ratio, (value) => value.toFixed(2)),
    row.supervisorMicroseconds.median.toFixed(1),
    range(row.requestsPerSecond, (value) => value.toFixed(0)),
    percent(row.coreUse.median),
    percent(row.othersUse.max),
    String(row.errors),
  ]);
  return aligned([head, ...lines]);
}

/**
 * @param {readonly (readonly string[])[]} lines of equally many columns
 * @returns {string}
 */
export function aligned(lines) {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/**
 * What a reader must know before quoting the figures.
 * @param {readonly Summary[]} summaries
 * @returns {string[]}
 */
export function reservations(summaries) {
  const found = [];
  for (const row of summaries) {
    if (row.errors > 0) found.push(`${row.title}: ${row.errors} errors; its figures do not count.`);
    if (row.othersUse.max > 0.03) {
      found.push(
        `${row.title}: other programs used up to ${percent(row.othersUse.max)} of a core during a round.`,
      );
    }
    if (row.coreUse.median < 0.9) {
      found.push(
        `${row.title}: its core was ${percent(row.coreUse.median)} in use: the load side was the limit, or others took the time.`,
      );
    }
  }
  return found;
}

/**
 * @param {Spread} values
 * @param {(value: number) => string} show
 */
function range({ median, min, max }, show) {
  return min === max ? show(median) : `${show(median)} (${show(min)}–${show(max)})`;
}

/** @param {number} value */
function percent(value) {
  return `${Math.round(value * 100)} %`;
}
