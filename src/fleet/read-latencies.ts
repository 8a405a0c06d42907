import { z } from "zod";
import { SCALE_LENGTH } from "../core/verdict/latency-scale.ts";
import type { AppRecord } from "./roster.ts";

/** Steps and how many, in turns. */
const pairs = z
  .array(z.number().nonnegative())
  .refine(
    (numbers) => numbers.length % 2 === 0 && numbers.every((number, i) => i % 2 === 1 || isStep(number)),
  );

const latencies = z.record(z.string(), pairs);

function isStep(number: number): boolean {
  return Number.isInteger(number) && number < SCALE_LENGTH;
}

/** What another gateway tells of its latencies; undefined: it cannot be read, and says nothing. */
export function readLatencies(value: unknown): AppRecord["latencies"] {
  return latencies.safeParse(value).data;
}
