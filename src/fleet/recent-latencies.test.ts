import { expect, it } from "vitest";
import { LATENCY_SLOT, ROW_LENGTH } from "../gateway/group-meter.ts";
import { RecentLatencies } from "./recent-latencies.ts";

function newCounts(): { counts: Map<string, Float64Array>; add: (group: string, step: number) => void } {
  const counts = new Map<string, Float64Array>();
  const add = (group: string, step: number): void => {
    const row = counts.get(group) ?? new Float64Array(ROW_LENGTH);
    counts.set(group, row);
    row[LATENCY_SLOT + step]! += 1;
  };
  return { counts, add };
}

it("tells those of the last five seconds, and none when there was no traffic for so long", () => {
  const recent = new RecentLatencies();
  const { counts, add } = newCounts();
  expect(recent.measure("shop", counts, 0)).toBeUndefined();
  add("blue", 40);
  add("blue", 40);
  add("green", 3);
  expect(recent.measure("shop", counts, 1000)).toEqual({ blue: [40, 2], green: [3, 1] });
  add("blue", 40);
  add("blue", 7);
  expect(recent.measure("shop", counts, 2000)).toEqual({ blue: [40, 3, 7, 1], green: [3, 1] });
  expect(recent.measure("shop", counts, 5999)).toEqual({ blue: [40, 3, 7, 1], green: [3, 1] });
  expect(recent.measure("shop", counts, 6000)).toEqual({ blue: [7, 1, 40, 1] });
  expect([...recent.moving()]).toEqual(["shop"]);
  expect(recent.measure("shop", counts, 7000)).toBeUndefined();
  expect([...recent.moving()]).toEqual([]);
});

it("loses nothing when it is asked twice within a moment, and forgets what is gone", () => {
  const recent = new RecentLatencies();
  const { counts, add } = newCounts();
  add("blue", 1);
  recent.measure("shop", counts, 0);
  add("blue", 2);
  expect(recent.measure("shop", counts, 1)).toEqual({ blue: [1, 1, 2, 1] });
  recent.forget("shop");
  expect([...recent.moving()]).toEqual([]);
});
