import { expect, it } from "vitest";
import { convergenceOf } from "./convergence.ts";
import type { AppRecord, Sighting } from "./roster.ts";

function sighting(name: string, ago: number = 0): Sighting {
  return {
    report: {
      name,
      id: name,
      version: "0",
      startedAt: "",
      listen: [],
      admin: "",
      ready: true,
      directory: "current",
      apps: 1,
      digest: "",
      inFlight: 0,
    },
    ago,
  };
}

function record(revision: number, differs?: true): AppRecord {
  return { revision, groups: {}, rates: {}, failureRates: {}, ...(differs && { differs }) };
}

it.each<[string, number, (AppRecord | undefined)[], boolean]>([
  ["all have it", 4, [record(4), record(4)], true],
  ["one has an earlier one", 4, [record(4), record(3)], false],
  ["one has told nothing", 4, [record(4), undefined], false],
  ["all have a later one, as this one has", 5, [record(5), record(5)], true],
  [
    "one has a later one than this one: perhaps of before the directory lost some",
    4,
    [record(4), record(9)],
    false,
  ],
  ["one has other content under it", 4, [record(4), record(4, true)], false],
])("revision 4 is in force everywhere? %s", (_what, here, records, converged) => {
  const sightings = [sighting("gateway-1"), sighting("gateway-2")];
  expect(convergenceOf(4, here, sightings, records).converged).toBe(converged);
});

it("waits for nobody whose lease has ended, and takes nobody for everybody", () => {
  const [live, lost] = [sighting("gateway-1"), sighting("gateway-2", 10_001)];
  expect(convergenceOf(4, 4, [live, lost], [record(4), record(3)]).converged).toBe(true);
  expect(convergenceOf(4, 4, [lost], [record(4)]).converged).toBe(false);
  expect(convergenceOf(null, null, [live], [undefined]).converged).toBe(true);
});
