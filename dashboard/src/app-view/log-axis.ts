/** A relative risk on a line: 1 in the middle, so that twice and half are as far from it. */
export interface LogAxis {
  /** 0 to 100. */
  readonly place: (risk: number) => number;
  readonly ticks: readonly number[];
}

const TICKS = [0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100];
const LEAST_SPAN = 4;
const LARGEST_SPAN = 100;

/** Wide enough for all of them, as far as a line can be. */
export function logAxis(risks: readonly (number | null)[]): LogAxis {
  const known = risks.filter((risk) => risk !== null && Number.isFinite(risk) && risk > 0) as number[];
  const farthest = Math.max(LEAST_SPAN, ...known.map((risk) => Math.max(risk, 1 / risk)));
  const span = Math.min(LARGEST_SPAN, farthest * 1.2);
  const place = (risk: number): number => {
    const bounded = Math.min(span, Math.max(1 / span, risk));
    return 50 + (50 * Math.log(bounded)) / Math.log(span);
  };
  return { place, ticks: TICKS.filter((tick) => tick <= span && tick >= 1 / span) };
}
