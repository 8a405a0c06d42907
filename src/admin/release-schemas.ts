import { z } from "zod";
import { duration, checkedText, closedObject, listOf } from "../config/schema-fields.ts";
import { PHASES } from "../core/release-course.ts";
import type { ReleasePlan } from "../core/release-plan.ts";
import type { LogEntry, ReleaseStatus } from "../core/release-state.ts";
import type { ReleaseView } from "../core/release-view.ts";
import type { PastRelease, StoredFreeze } from "../release/release-record.ts";
import type { ReleaseRefusal, StartRequest } from "../release/release-service.ts";

/** Bodies of the routes of releases: in JSON every time is ISO 8601, UTC. */

/** What `GET /apps/{name}/release` answers. */
export interface ReleaseJson extends Omit<ReleaseView, "since" | "log"> {
  readonly since: string;
  readonly log: readonly (Omit<LogEntry, "at"> & { readonly at: string })[];
}

/** Of a release, what a list of apps shows. */
export type ReleaseSummary = Pick<
  ReleaseView,
  "id" | "version" | "status" | "phase" | "group" | "share" | "waitingFor"
>;

/** One line of `GET /apps/{name}/releases`. */
export interface PastReleaseJson extends Omit<PastRelease, "begunAt" | "endedAt"> {
  readonly begunAt: string;
  /** Null: it is not over. */
  readonly endedAt: string | null;
}

export interface FreezeJson {
  readonly app: string;
  /** Null: until it is lifted. */
  readonly until: string | null;
  readonly reason: string;
  readonly by: string;
  readonly since: string;
}

/** What `POST /apps/{name}/release/preview` answers. */
export interface PreviewJson {
  /** Null: what is written of it is no plan. */
  readonly plan: ReleasePlan | null;
  /** Empty: it would begin. */
  readonly refusals: readonly ReleaseRefusal[];
  /** Names of the hooks that there are. */
  readonly hooks: readonly string[];
}

export interface ReleaseWords {
  readonly reason?: string;
  readonly step?: number;
}

export interface FreezeRequest {
  readonly reason: string;
  readonly for?: string;
  readonly until?: string;
}

export function releaseJson(view: ReleaseView): ReleaseJson {
  return { ...view, since: iso(view.since), log: view.log.map((entry) => ({ ...entry, at: iso(entry.at) })) };
}

export function releaseInShort(view: ReleaseSummary): ReleaseSummary {
  const { id, version, status, phase, group, share, waitingFor } = view;
  return { id, version, status, phase, group, share, waitingFor };
}

export function pastReleaseJson(past: PastRelease): PastReleaseJson {
  const isOver = past.status === "done" || past.status === "rolledBack";
  return { ...past, begunAt: iso(past.begunAt), endedAt: isOver ? iso(past.endedAt) : null };
}

export function freezeJson(app: string, { until, reason, by, since }: StoredFreeze): FreezeJson {
  return { app, until: until === null ? null : iso(until), reason, by, since: iso(since) };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** It is kept, logged, drawn on terminals and handed to hooks in their environment. */
const LONGEST_VERSION = 128;

function isVersion(text: string): boolean {
  return text.trim() !== "" && text.length <= LONGEST_VERSION && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text);
}

// What steps look like inside, which groups there are, which hooks: that is the release's affair, and refused there with
// every reason at once.
export const startRequest: z.ZodType<StartRequest> = closedObject(
  {
    version: checkedText(
      isVersion,
      `the version to be released, as text of at most ${LONGEST_VERSION} characters, none of them a control character`,
    ),
    steps: z.array(z.unknown(), "a list of steps").exactOptional(),
    groups: listOf(z.string("the name of a group"), "names of groups").exactOptional(),
    update: filledText("the name of a hook of halftone.yaml").exactOptional(),
    restore: filledText("the name of a hook of halftone.yaml").exactOptional(),
  },
  '{"version": TEXT, "steps": [STEP], "groups": [NAME], "update": HOOK, "restore": HOOK}',
);

export const releaseWords: z.ZodType<ReleaseWords> = closedObject(
  {
    reason: filledText("why, as text").exactOptional(),
    step: z.int("the number of the step that was looked at").exactOptional(),
  },
  '{"reason": TEXT, "step": NUMBER}, or no body',
);

export const freezeRequest: z.ZodType<FreezeRequest> = closedObject(
  {
    reason: filledText("why, as text"),
    for: duration().exactOptional(),
    until: checkedText(
      (text) => /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
      'a time in ISO 8601 with its zone, like "2026-01-02T18:00:00Z"',
    ).exactOptional(),
  },
  '{"reason": TEXT} with {"for": "2h"}, {"until": TIME} or neither',
);

function filledText(expected: string): z.ZodType<string> {
  return checkedText((text) => text.trim() !== "", expected);
}

const time = z.iso.datetime();
const STATUSES = [
  "running",
  "paused",
  "done",
  "rollingBack",
  "rolledBack",
] as const satisfies readonly ReleaseStatus[];
const statusText = z.enum(STATUSES);

const phase = z.enum([...PHASES, "restoring", "rolledBack"]);
const waitingFor = z.enum(["continue", "time", "drain", "hook", "health", "verdict", "convergence"]);

export const releaseSummary: z.ZodType<ReleaseSummary> = z.object({
  id: z.string(),
  version: z.string(),
  status: statusText,
  phase,
  group: z.string().nullable(),
  share: z.number(),
  waitingFor: waitingFor.nullable(),
});

export const releaseAnswer: z.ZodType = z.object({
  id: z.string(),
  app: z.string(),
  version: z.string(),
  status: statusText,
  phase,
  group: z.string().nullable().describe("whose turn it is; null: the release is over"),
  share: z.number().describe("percentage of the clients, testers apart, sent to the group under test"),
  since: time,
  step: z.int().describe("names this phase in commands"),
  waitingFor: waitingFor
    .nullable()
    .describe("null: it is over, paused by a person, or kept by what `reason` says"),
  reason: z.string().nullable(),
  left: z.number().nullable().describe("ms until time ends this phase; null: time has no say in it"),
  cheapReturn: z.boolean().describe("the public is back on the old version by a mere change of routing"),
  groups: z.array(
    z.object({
      name: z.string(),
      condition: z.enum(["old", "out", "updating", "new"]),
      serves: z.enum(["public", "testers", "standby", "nobody"]),
    }),
  ),
  quarantined: z.array(z.string()).describe("servers that this release found broken"),
  plan: z.looseObject({ steps: z.array(z.looseObject({ kind: z.enum(["testers", "share", "hold"]) })) }),
  log: z.array(z.object({ at: time, by: z.string(), what: z.string() })),
});

export const previewAnswer: z.ZodType = z.object({
  plan: z.looseObject({}).nullable().describe("as of a release; null: what is written of it is no plan"),
  refusals: z
    .array(z.object({ code: z.string(), reason: z.string() }))
    .describe("everything that speaks against it now; empty: it would begin"),
  hooks: z.array(z.string()).describe("names of the hooks that there are"),
});

export const pastReleases: z.ZodType<readonly PastReleaseJson[]> = z.array(
  z.object({
    id: z.string(),
    version: z.string(),
    status: statusText,
    begunAt: time,
    endedAt: time.nullable(),
    by: z.string(),
    reason: z.string().nullable(),
  }),
);

export const freezeAnswer: z.ZodType<FreezeJson> = z.object({
  app: z.string(),
  until: time.nullable(),
  reason: z.string(),
  by: z.string(),
  since: time,
});
