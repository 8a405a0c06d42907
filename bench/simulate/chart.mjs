// @ts-check
// Bars and lines as SVG, readable in light and dark.

const WIDTH = 760;
const MARGIN = 16;
const LABELS = 330;
const VALUES = 70;
const STEP = 22;
/** Where what is below the title begins. */
const HEAD = MARGIN + 26;
const BAR = 14;

const COLOURS = ["#2f81f7", "#d29922", "#2da44e", "#bf3989", "#8c959f"];
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .ground { fill: #ffffff } .axis { stroke: #8c959f } .limit { stroke: #cf222e; stroke-dasharray: 4 3 }
${COLOURS.map(
  (colour, index) =>
    `  .bar${index} { fill: ${colour} } .line${index} { stroke: ${colour}; stroke-width: 2; fill: none }`,
).join("\n")}
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .ground { fill: #0d1117 }
  }
`;

/**
 * @typedef {object} Bars one a row, from 0 to the greatest value
 * @property {string} title
 * @property {readonly { title: string, value: number, kind?: number }[]} rows
 * @property {number} digits
 * @property {{ value: number, title: string }} [limit]
 * @property {number} [most] the value at the right end; absent: the greatest
 * @property {readonly string[]} [legend] of the kinds
 */

/** @param {Bars} picture */
export function bars({ title, limit, rows, digits, most, legend = [] }) {
  const greatest = most ?? Math.max(limit?.value ?? 0, ...rows.map(({ value }) => value));
  const at = (/** @type {number} */ value) =>
    LABELS + (value / greatest) * (WIDTH - LABELS - VALUES - MARGIN);
  const keys = legendOf(legend, HEAD);
  const top = HEAD + keys.height;
  const bottom = top + rows.length * STEP;
  const parts = rows.map((row, index) => {
    const y = top + index * STEP;
    return `<text x="${MARGIN}" y="${y + 12}">${escaped(row.title)}</text>
<rect class="bar${row.kind ?? 0}" x="${LABELS}" y="${y}" width="${(at(row.value) - LABELS).toFixed(1)}" height="${BAR}" rx="2"/>
<text x="${(at(row.value) + 8).toFixed(1)}" y="${y + 12}">${row.value.toFixed(digits)}</text>`;
  });
  if (limit !== undefined) {
    const x = at(limit.value).toFixed(1);
    parts.push(`<line class="limit" x1="${x}" x2="${x}" y1="${top - 4}" y2="${bottom}"/>`);
    parts.push(`<text x="${x}" y="${bottom + 14}" text-anchor="middle">${escaped(limit.title)}</text>`);
  }
  return svg(title, bottom + 24, [...keys.parts, ...parts]);
}

const PLOT = { left: 56, right: 32, bottom: 40, height: 260 };

/**
 * @typedef {object} Lines parts of a whole over time
 * @property {string} title
 * @property {number} minutes
 * @property {readonly { title: string, points: readonly (readonly [minutes: number, part: number])[] }[]} lines
 */

/** @param {Lines} picture */
export function lines({ title, minutes, lines }) {
  const keys = legendOf(
    lines.map(({ title }) => title),
    HEAD,
  );
  const top = HEAD + keys.height + 4;
  const bottom = top + PLOT.height;
  const right = WIDTH - PLOT.right;
  const x = (/** @type {number} */ value) => (PLOT.left + (value / minutes) * (right - PLOT.left)).toFixed(1);
  const y = (/** @type {number} */ value) => (bottom - value * PLOT.height).toFixed(1);
  const marks = [0, 0.25, 0.5, 0.75, 1].map(
    (
      value,
    ) => `<line class="axis" x1="${PLOT.left}" x2="${right}" y1="${y(value)}" y2="${y(value)}" opacity="0.3"/>
<text x="${PLOT.left - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${100 * value} %</text>`,
  );
  const times = Array.from({ length: 7 }, (_, index) => (minutes * index) / 6).map(
    (value) =>
      `<text x="${x(value)}" y="${bottom + 20}" text-anchor="middle">${Math.round(value)} min</text>`,
  );
  const drawn = lines.map(({ points }, index) => {
    const corners = points.map(([time, value]) => `${x(time)},${y(value)}`).join(" ");
    return `<polyline class="line${index}" points="${corners}"/>`;
  });
  return svg(title, bottom + PLOT.bottom, [...keys.parts, ...marks, ...times, ...drawn]);
}

/**
 * Entries in as many rows as they need, from the given height on.
 * @param {readonly string[]} titles
 * @param {number} y
 */
function legendOf(titles, y) {
  let [x, row] = [MARGIN, 0];
  const parts = titles.map((title, index) => {
    const width = 36 + title.length * 7.2;
    if (x > MARGIN && x + width > WIDTH) [x, row] = [MARGIN, row + 1];
    const top = y + row * STEP;
    const entry = `<rect class="bar${index}" x="${x}" y="${top}" width="12" height="12" rx="2"/>
<text x="${x + 18}" y="${top + 11}">${escaped(title)}</text>`;
    x += width;
    return entry;
  });
  return { parts, height: titles.length === 0 ? 0 : (row + 1) * STEP };
}

/**
 * @param {string} title
 * @param {number} height
 * @param {readonly string[]} parts
 */
function svg(title, height, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}"/>
<text class="title" x="${MARGIN}" y="${MARGIN + 12}">${escaped(title)}</text>
${parts.join("\n")}
</svg>
`;
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
