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
 * @property {Readonly<Record<string, number>>} extra figures of this work load alone
 * @property {unknown} load what the load generator reported
 */
/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} title
 * @property {string} baseline id of the row that its ratio is formed to
 * @property {readonly (Round | undefined)[]} rounds undefined: it failed
 * @property {readonly string[]} failures why
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
  return rows.map((row) => {
    const rounds = row.rounds.filter((round) => round !== undefined);
    const ratios = ratiosOf(row, rows);
    const of = (/** @type {(round: Round) => number} */ value) => spread(rounds.map((round) => value(round)));
    return {
      id: row.id,
      title: row.title,
      failures: row.failures,
      cpuMicroseconds: of((round) => round.cpuMicroseconds),
      ratio: ratios.length === 0 ? undefined : spread(ratios),
      supervisorMicroseconds: of((round) => round.supervisorMicroseconds),
      requestsPerSecond: of((round) => round.requestsPerSecond),
      coreUse: of((round) => round.coreUse),
      othersUse: of((round) => round.othersUse),
      errors: rounds.reduce((sum, round) => sum + round.errors, 0),
      extra: Object.fromEntries(
        Object.keys(rounds[0]?.extra ?? {}).map((key) => [key, of((round) => round.extra[key] ?? NaN)]),
      ),
    };
  });
}

/**
 * @param {Row} row
 * @param {readonly Row[]} rows
 */
function ratiosOf(row, rows) {
  const baseline = rows.find(({ id }) => id === row.baseline);
  return row.rounds.flatMap((round, i) => {
    const other = baseline?.rounds[i];
    return round === undefined || other === undefined ? [] : [round.cpuMicroseconds / other.cpuMicroseconds];
  });
}

/** @typedef {ReturnType<typeof summarise>[number]} Summary */

/**
 * @param {readonly Summary[]} summaries
 * @param {{ ratioTo?: string, columns?: readonly import("./loads/work-load.mjs").Column[] }} [layout]
 * @returns {string}
 */
export function table(summaries, { ratioTo = "nginx", columns = [] } = {}) {
  const head = [
    "",
    "CPU µs/request",
    `ratio to ${ratioTo}`,
    "+ supervisor",
    "requests/s",
    "core use",
    ...columns.map(({ title }) => title),
    "others",
    "errors",
  ];
  const lines = summaries.map((row) => {
    if (row.failures.length > 0) return [row.title, "failed", ...head.slice(2).map(() => "-")];
    return [
      row.title,
      range(row.cpuMicroseconds, (value) => value.toFixed(1)),
      row.ratio === undefined ? "-" : range(row.ratio, (value) => value.toFixed(2)),
      row.supervisorMicroseconds.median.toFixed(1),
      range(row.requestsPerSecond, (value) => value.toFixed(value < 100 ? 1 : 0)),
      percent(row.coreUse.median),
      ...columns.map(({ key, digits }) => {
        const values = row.extra[key];
        return values === undefined ? "-" : range(values, (value) => value.toFixed(digits));
      }),
      percent(row.othersUse.max),
      String(row.errors),
    ];
  });
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
 * @param {{ openLoop?: boolean }} [load] open loop: the core need not be full
 * @returns {string[]}
 */
export function reservations(summaries, { openLoop = false } = {}) {
  const found = [];
  for (const row of summaries) {
    // The output of a program may follow the first line: that is in the JSON.
    for (const failure of new Set(row.failures.map((text) => text.split("\n")[0]))) {
      found.push(`${row.title} failed: ${failure}`);
    }
    if (row.failures.length > 0) continue;
    if (row.errors > 0) found.push(`${row.title}: ${row.errors} errors; its figures do not count.`);
    if (row.othersUse.max > 0.03) {
      found.push(
        `${row.title}: other programs used up to ${percent(row.othersUse.max)} of a core during a round.`,
      );
    }
    if (row.coreUse.median < 0.9 && !openLoop) {
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
  return show(min) === show(max) ? show(median) : `${show(median)} (${show(min)}–${show(max)})`;
}

/** @param {number} value */
function percent(value) {
  return `${Math.round(value * 100)} %`;
}
