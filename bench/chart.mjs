// @ts-check
// CPU time per request as an SVG picture: one panel for each work load, one bar for each proxy.

/** @typedef {{ id: string, title: string, cpuMicroseconds: import("./report.mjs").Spread }} Bar */
/** @typedef {{ title: string, bars: readonly Bar[] }} Panel */

const WIDTH = 760;
const LABELS = 270;
const VALUES = 110;
const BAR = 16;
const STEP = 24;
const PANEL_HEAD = 34;
const MARGIN = 16;

/** Colours that stand out from white and from black, and text in that of the reader's theme. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .bar { fill: #8c959f } .halftone { fill: #2f81f7 } .nginx { fill: #2da44e }
  .spread { stroke: #1f2328; stroke-width: 1.5 }
  .ground { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .spread { stroke: #e6edf3 } .ground { fill: #0d1117 }
  }
`;

/**
 * Each panel has a scale of its own, from 0 to its longest bar. The line at a bar's end reaches from the least to the
 * greatest of the rounds.
 * @param {readonly Panel[]} panels
 * @param {string} caption
 * @returns {string}
 */
export function chart(panels, caption) {
  let y = MARGIN;
  const parts = [];
  for (const { title, bars } of panels) {
    parts.push(`<text class="title" x="${MARGIN}" y="${y + 14}">${escaped(title)}</text>`);
    y += PANEL_HEAD - 8;
    const longest = Math.max(...bars.map((bar) => bar.cpuMicroseconds.max));
    for (const bar of bars) {
      parts.push(drawn(bar, y, longest));
      y += STEP;
    }
    y += MARGIN;
  }
  const height = y + 20;
  parts.push(`<text x="${MARGIN}" y="${height - 12}">${escaped(caption)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>CPU µs per request</title>
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}"/>
${parts.join("\n")}
</svg>
`;
}

/**
 * @param {Bar} bar
 * @param {number} y of its upper edge
 * @param {number} longest
 */
function drawn({ id, title, cpuMicroseconds: { median, min, max } }, y, longest) {
  const at = (/** @type {number} */ value) =>
    LABELS + (value / longest) * (WIDTH - LABELS - VALUES - 2 * MARGIN);
  const middle = y + BAR / 2;
  const kind = /^(?:halftone|nginx)/.exec(id.replace("nginx-lua", ""))?.[0] ?? "";
  const spread =
    min === max
      ? ""
      : `<line class="spread" x1="${shown(at(min))}" x2="${shown(at(max))}" y1="${middle}" y2="${middle}"/>`;
  return `<text x="${MARGIN}" y="${middle + 4}">${escaped(title)}</text>
<rect class="bar ${kind}" x="${LABELS}" y="${y}" width="${shown(at(median) - LABELS)}" height="${BAR}" rx="2"/>${spread}
<text x="${shown(at(max) + 8)}" y="${middle + 4}">${median.toFixed(1)} µs</text>`;
}

/** @param {number} value */
function shown(value) {
  return value.toFixed(1);
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
