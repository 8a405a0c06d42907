import * as z from "zod";
import { problemsOf } from "../config/finding.ts";
import { formatProblems } from "../config/format-problems.ts";
import { findingsOf } from "../config/schema-findings.ts";
import type { Comparison } from "../core/verdict/counts.ts";

const COUNT = "a number from 0 to 2^53";
const count = z.number(COUNT).min(0, COUNT).max(Number.MAX_SAFE_INTEGER, COUNT);

const counts = z
  .object({ total: count, bad: count }, "{total, bad}")
  .refine(({ total, bad }) => bad <= total, { path: ["bad"], error: "at most the total" });

const comparison = z.object({ test: counts, rest: counts }, "{test: {total, bad}, rest: {total, bad}}");

/** Counts of both sides that somebody else told, or what is wrong with them, in words. Other keys mean nothing. */
export function readComparison(told: unknown): Comparison | string {
  const checked = comparison.safeParse(told);
  return checked.success
    ? checked.data
    : formatProblems(problemsOf(findingsOf(checked.error.issues), told)).join("; ");
}
