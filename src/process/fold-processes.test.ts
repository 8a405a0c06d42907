import { expect, it } from "vitest";
import { type ProcessReport, sumRising } from "../gateway/process-report.ts";
import { FoldedProcesses } from "./fold-processes.ts";

function report(requests: number, errors: Record<string, number> = {}): ProcessReport {
  return {
    rising: { ...sumRising([]), requests, errors },
    connections: 1,
    inFlight: 1,
    load: { busy: 0, turns: 0, late: [], lateSum: 0, used: 0, memory: 0 },
  };
}

it("keeps what processes did that are gone, and gives their places to others", () => {
  const folded = new FoldedProcesses();
  for (const process of [11, 12]) folded.begin(process);
  folded.take(11, report(1, { no_route: 1 }));
  folded.take(12, report(2));
  folded.take(11, report(5, { no_route: 2, overloaded: 1 }));
  folded.end(11);
  // Too late: it has been counted.
  folded.take(11, report(6));
  folded.begin(13);
  folded.take(13, report(1, { no_route: 1 }));
  const { living, rising } = folded.all();
  expect(living.map(({ place, connections }) => [place, connections])).toEqual([
    [1, 1],
    [0, 1],
  ]);
  expect(rising).toMatchObject({ requests: 8, errors: { no_route: 3, overloaded: 1 } });
});
