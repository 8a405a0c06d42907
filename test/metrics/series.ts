import type { HalftoneProcess } from "../e2e/harness/halftone-process.ts";
import { until } from "../e2e/harness/until.ts";

/** What `/metrics` says: series, as written, to values. */
export type Series = ReadonlyMap<string, number>;

export async function scraped(halftone: HalftoneProcess, query: string = ""): Promise<string> {
  const { status, body } = await halftone.admin("GET", `/metrics${query}`);
  if (status !== 200) throw new Error(`/metrics${query}: ${status} ${JSON.stringify(body)}`);
  return String(body);
}

export function seriesOf(text: string): Series {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** Processes are asked once a second: scrapes until this holds. */
export async function untilSeries(
  halftone: HalftoneProcess,
  what: string,
  condition: (series: Series) => boolean,
): Promise<Series> {
  let series: Series = new Map();
  await until(
    what,
    async () => {
      series = seriesOf(await scraped(halftone));
      return condition(series);
    },
    { instead: () => Object.fromEntries([...series].filter(([, value]) => value !== 0)) },
  );
  return series;
}

export function sumOf(series: Series, pattern: RegExp): number {
  return [...series].reduce((sum, [name, value]) => (pattern.test(name) ? sum + value : sum), 0);
}
