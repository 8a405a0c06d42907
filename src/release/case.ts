import { z } from "zod";
import type { Evidence } from "../core/verdict/evidence.ts";
import type { VerdictReport } from "./verdict-report.ts";

/** Number of the form in which cases are kept; another one is not read, and the evidence begins anew. */
const CASE_FORMAT = 1;

/** All that is known of how a version under release does: plain JSON, kept after each window. */
export interface Case {
  readonly release: string;
  /** Whose turn it is, which servers are in quarantine, and which step: other evidence belongs to each. */
  readonly group: string;
  readonly quarantined: string;
  readonly step: number;
  /** The newest window that was judged. */
  readonly lastWindow: number;
  readonly evidence: Evidence;
  /** Clients, testers apart, who met an error of the new version; about, where not all clients are counted. */
  readonly users: number;
  /** Their requests to the new version, and how many failed. */
  readonly testers: readonly [requests: number, failed: number];
  /** The last one; null: there was none yet. */
  readonly report: VerdictReport | null;
}

export function keptCase(kept: Case): unknown {
  return { format: CASE_FORMAT, ...kept };
}

const counts = z.object({ total: z.number(), bad: z.number() });
const risk = z.object({ lnStakes: z.array(z.number()), bad: z.number() });
const sides = z.object({ test: z.number(), rest: z.number() });
const signal = z.object({
  unequal: risk,
  beyond: risk,
  servers: z.record(z.string(), z.object({ without: risk, alone: risk })),
  step: z.object({
    notWorse: risk,
    profile: z.array(z.number()),
    test: counts,
    rest: counts,
    weighed: sides,
    windows: z.number(),
    pace: sides,
  }),
});

/** Of a report that is what is reckoned with; all of it is shown. */
const report = z.looseObject({ at: z.number(), words: z.array(z.string()), signals: z.array(z.unknown()) });

const keptSchema = z.object({
  format: z.literal(CASE_FORMAT),
  release: z.string(),
  group: z.string(),
  quarantined: z.string(),
  step: z.number(),
  lastWindow: z.number(),
  evidence: z.object({ signals: z.record(z.string(), signal) }),
  users: z.number(),
  testers: z.tuple([z.number(), z.number()]),
  report: report.nullable(),
});

/** Undefined: another version of this program wrote it, or it was damaged. */
export function readCase(kept: unknown): Case | undefined {
  const { data } = keptSchema.safeParse(kept);
  if (data === undefined) return undefined;
  const { format: _, ...known } = data;
  return known as unknown as Case;
}
