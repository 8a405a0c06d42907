import { z } from "zod";
import type { VerdictReport } from "../release/verdict-report.ts";

/** What `GET /apps/{name}/verdict` answers. */
export interface VerdictJson extends Omit<VerdictReport, "at" | "answer"> {
  readonly app: string;
  /** ISO 8601, UTC; null: no window was judged yet. */
  readonly at: string | null;
  /** `none`: no window was judged yet. */
  readonly answer: VerdictReport["answer"] | "none";
}

export function verdictJson(app: string, report: VerdictReport): VerdictJson {
  return { app, ...report, at: new Date(report.at).toISOString() };
}

const NO_METER = { evidence: 1, needed: 1, part: 0 };

/** Before the first window was judged. `why`: in a sentence. */
export function noVerdictYet(app: string, release: string, why: string): VerdictJson {
  return {
    app,
    release,
    group: "",
    step: 0,
    share: 0,
    at: null,
    answer: "none",
    badServer: null,
    words: [why],
    unequal: NO_METER,
    beyond: NO_METER,
    notWorse: NO_METER,
    signals: [],
    usersWithErrors: 0,
    testers: { requests: 0, failed: 0 },
    slower: null,
  };
}

const counts = z.object({ total: z.number(), bad: z.number() });

const meter = z.object({
  evidence: z
    .number()
    .describe("E: where the hypothesis holds, the chance that it gets this high is 1/E at most"),
  needed: z.number(),
  part: z.number().describe("the way that is done, 0 to 1"),
});

const expectation = z
  .object({ bad: z.number(), total: z.number(), seconds: z.number() })
  .nullable()
  .describe(
    "further bad ones on both sides, outcomes in the group under test, seconds at the present traffic",
  );

export const verdictAnswer: z.ZodType<VerdictJson> = z.object({
  app: z.string(),
  release: z.string(),
  group: z.string().describe("the group under test"),
  step: z.int(),
  share: z.number(),
  at: z.iso.datetime().nullable(),
  answer: z.enum(["worse", "notWorse", "notEnough", "none"]).describe("none: no window was judged yet"),
  badServer: z.string().nullable().describe("the one server that is broken, while the version is not"),
  words: z.array(z.string()),
  unequal: meter.describe('against "both are alike", since the release began; worse takes this and `beyond`'),
  beyond: meter.describe('against "the difference is within worseThan"'),
  notWorse: meter.describe('against "at least notWorseThan times as bad", since the step began'),
  signals: z.array(
    z.object({
      name: z.string(),
      what: z.string(),
      test: counts,
      rest: counts,
      risk: z.number().nullable().describe("how many times as often; null: the others have nothing bad"),
      interval: z.object({ low: z.number(), high: z.number().nullable() }),
      worseThan: z.number(),
      notWorseThan: z.number(),
      unequal: meter,
      beyond: meter,
      notWorse: meter,
      rate: z.number().describe("outcomes a second, both sides together"),
      untilWorse: expectation,
      untilNotWorse: expectation,
      findable: z
        .number()
        .nullable()
        .describe("least rise that would be found within the step in half of all cases"),
      surelyFindable: z.number().nullable().describe("in nine of ten"),
      problem: z.string().nullable(),
    }),
  ),
  usersWithErrors: z.int().describe("clients, testers apart, who met an error of the new version"),
  testers: z.object({ requests: z.number(), failed: z.number() }),
  slower: z
    .object({ p50: z.number(), p90: z.number(), p99: z.number() })
    .nullable()
    .describe("latencies in ms above which an answer is slow"),
});

export interface QuarantineJson {
  readonly app: string;
  readonly quarantine: readonly string[];
}

export const quarantineAnswer: z.ZodType<QuarantineJson> = z.object({
  app: z.string(),
  quarantine: z.array(z.string()).describe("servers that get no request"),
});
