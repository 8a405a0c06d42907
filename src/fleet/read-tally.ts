import { z } from "zod";

import type { AppTally } from "./roster.ts";

const count = z.number().nonnegative();
const cell = z.tuple([count, count, count, count, count, count, count]);

const window = z.object({
  window: z.int(),
  part: z.number().positive().max(1),
  cells: z.record(z.string(), cell),
  erring: z.array(z.tuple([z.int(), z.string()])),
  met: z.array(z.int()),
  testers: z.tuple([count, count]),
});

const appTally: z.ZodType<AppTally> = z.object({
  release: z.string(),
  length: z.number().positive(),
  windows: z.array(window),
  latencies: z.array(z.tuple([z.int().nonnegative(), count])),
});

/** What another gateway counted; undefined: it cannot be read, and says nothing. */
export function readTally(value: unknown): AppTally | undefined {
  return appTally.safeParse(value).data;
}
