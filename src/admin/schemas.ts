import { z } from "zod";
import { canonicalAddress } from "../config/address-set.ts";
import { appJsonSchema } from "../config/json-schema.ts";
import type { AppDocument } from "../config/app-document.ts";
import { CERTIFICATE_ATTRIBUTES } from "../core/client.ts";
import { LIFETIME_EXPECTED, parseLifetime } from "../config/lifetime.ts";
import { NAME, NAME_EXPECTED } from "../config/names.ts";
import { checkedText, closedObject, listOf, patternText, wholeNumber } from "../config/schema-fields.ts";
import type { GroupTraffic } from "../fleet/group-traffic.ts";
import type { ProblemDocument } from "./api-problem.ts";
import type { AuditEntry } from "./audit.ts";
import type { ClientCertificateFacts, Explanation } from "./explain.ts";
import type { Schema } from "./operation.ts";
import { freezeAnswer, type FreezeJson, releaseSummary, type ReleaseSummary } from "./release-schemas.ts";
import { ROLE_EXPECTED, type Role, ROLES } from "./role.ts";
import type { TokenFacts } from "./token-book.ts";

/** Bodies and parameters are checked by these, answers described; the OpenAPI document is made of both. */

/** One line of `GET /apps`. */
export interface AppSummary {
  readonly name: string;
  readonly revision: number;
  readonly deploy: number;
  readonly share: number;
  readonly groups: readonly string[];
  /** Number of servers in all groups. */
  readonly servers: number;
  /** False: testers are kept away from the group under test. */
  readonly testing: boolean;
  /** The release that runs, or ran last; null: there never was one. */
  readonly release: ReleaseSummary | null;
  /** What stops every step forward of its releases; null: nothing does. */
  readonly freeze: FreezeJson | null;
}

export interface DeployRequest {
  readonly deploy: number | string;
  readonly share?: number | string;
  /** False: testers are kept away too. Default true. */
  readonly testing?: boolean;
}

export interface DeployState {
  readonly name: string;
  readonly deploy: number;
  readonly share: number;
  readonly revision: number;
}

export interface ExplainRequest {
  readonly ip: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Attributes of the client's verified certificate. */
  readonly certificate: ClientCertificateFacts;
}

export interface ServerRow {
  readonly group: string;
  readonly server: string;
  readonly weight: number;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  /**
   * dead: requests found it so and it has not answered since, or the active check did. quarantined: it gets no request until
   * that is lifted.
   */
  readonly state: "up" | "dead" | "quarantined";
  /** When one request tries it again, ISO 8601; null: requests found nothing wrong. */
  readonly deadUntil: string | null;
  /** What the active check says; true when there is none. */
  readonly healthy: boolean;
  readonly lastError: string | null;
}

/** One line of `GET /gateways`. */
export interface GatewayRow {
  readonly name: string;
  /** It is the one that answers. */
  readonly self: boolean;
  /** It has told of itself within the lease. */
  readonly live: boolean;
  /** When it last told of itself, ISO 8601. */
  readonly seen: string;
  readonly version: string;
  readonly startedAt: string;
  readonly listen: readonly string[];
  readonly admin: string;
  readonly ready: boolean;
  readonly directory: "current" | "backup";
  readonly apps: number;
  readonly inFlight: number;
  /** Apps of which it has another revision in force than the one that answers. */
  readonly lag: number;
  /** The first of them; null: no such app there, or here. */
  readonly late: readonly {
    readonly app: string;
    readonly revision: number | null;
    readonly here: number | null;
  }[];
}

/** One line of `GET /directory/differences`. */
export interface DifferenceRow {
  readonly name: string;
  readonly answer: string;
  readonly inForce: RevisionedDocument | null;
  readonly directory: RevisionedDocument | null;
}

/** Who one is. */
export interface SessionState {
  /** Of the token. */
  readonly name: string;
  readonly role: Role;
  /** ISO 8601; of a session that is not used any more; null: never. */
  readonly expires: string | null;
  /** Ids of the operations that whoever embeds the gateway has beside its own; absent: there are none. */
  readonly more?: readonly string[];
}

export interface TokenRequest {
  readonly name: string;
  readonly role: Role;
  /** How long it is good, like "30d"; absent: for ever. */
  readonly expires?: string;
}

/** The answer to `POST /tokens`. */
export interface MadeToken extends TokenFacts {
  readonly token: string;
}

interface RevisionedDocument {
  readonly revision: number;
  readonly document: AppDocument;
}

const revision: z.ZodType<number> = z.int().min(0);

const appsApart = z.array(
  z.object({ app: z.string(), revision: revision.nullable(), here: revision.nullable() }),
);

export const gatewayRows: z.ZodType<readonly GatewayRow[]> = z.array(
  z.object({
    name: z.string(),
    self: z.boolean(),
    live: z.boolean(),
    seen: z.string(),
    version: z.string(),
    startedAt: z.string(),
    listen: z.array(z.string()),
    admin: z.string(),
    ready: z.boolean(),
    directory: z.enum(["current", "backup"]),
    apps: z.int(),
    inFlight: z.int(),
    lag: z.int(),
    late: appsApart,
  }),
);

const milliseconds = z.number().nullable();

/** One line of `GET /apps/{name}/groups`: all live gateways together. */
const groupRow: z.ZodType<GroupTraffic> = z.object({
  group: z.string(),
  requests: z.int().describe("tries since the gateways began"),
  failures: z.int().describe("tries that failed"),
  errors: z.int().describe("answers 5xx that are no failed tries"),
  inFlight: z.int(),
  perSecond: z.number(),
  failuresPerSecond: z.number().describe("failed tries and answers 5xx"),
  share: z.number().nullable().describe("of the app's tries a second, in per cent"),
  p50: milliseconds.describe("ms until the answer began, over the last five seconds; null: no traffic"),
  p90: milliseconds,
  p99: milliseconds,
});

export const groupRows: z.ZodType<readonly GroupTraffic[]> = z.array(groupRow);

export const convergence: z.ZodType = z.object({
  app: z.string(),
  asked: revision,
  converged: z.literal(true),
  gateways: z.array(
    z.object({
      name: z.string(),
      live: z.boolean(),
      ago: z.number().describe("ms since it told of itself"),
      revision: revision.nullable(),
      reached: z.boolean(),
    }),
  ),
});

export const idleness: z.ZodType = z.object({
  app: z.string(),
  group: z.string(),
  idle: z.literal(true),
  revision,
});

const revisionedDocument = z.object({ revision, document: z.looseObject({}) }).nullable();

export const differenceRows: z.ZodType = z.array(
  z.object({
    name: z.string(),
    answer: z.string().describe("what the directory holds, in words"),
    inForce: revisionedDocument,
    directory: revisionedDocument,
  }),
);

export const restoreRequest: z.ZodType<{ readonly from: "gateway" | "directory" }> = closedObject(
  { from: z.enum(["gateway", "directory"], 'the side that is to count, "gateway" or "directory"') },
  '{"from": "gateway" | "directory"}',
);

export const restoreState: z.ZodType = z.object({ name: z.string(), revision: revision.nullable() });

const role = z.enum(ROLES, ROLE_EXPECTED);

export const loginRequest: z.ZodType<{ readonly token: string }> = closedObject(
  { token: z.string("the text of a token") },
  '{"token": TEXT}',
);

export const sessionAnswer: z.ZodType<SessionState> = z.object({
  name: z.string(),
  role,
  expires: z.string().nullable(),
  more: z.array(z.string()).describe("operations beside the gateway's own").exactOptional(),
});

export const tokenRequest: z.ZodType<TokenRequest> = closedObject(
  {
    name: patternText(NAME, NAME_EXPECTED),
    role,
    expires: checkedText((text) => parseLifetime(text) !== undefined, LIFETIME_EXPECTED).exactOptional(),
  },
  '{"name": NAME, "role": ROLE, "expires": LIFETIME}',
);

const tokenFacts = z.object({
  name: z.string(),
  role,
  created: z.string().nullable(),
  by: z.string().nullable(),
  expires: z.string().nullable(),
});

export const tokenRows: z.ZodType<readonly TokenFacts[]> = z.array(tokenFacts);

export const madeToken: z.ZodType<MadeToken> = tokenFacts.extend({ token: z.string() });

export const nameText: z.ZodType<string> = z.string();

/** Checked by `readPrecondition`. */
export const etagText: z.ZodType<string> = z.string();

export const appDocument: Schema = { jsonSchema: appJsonSchema() as Record<string, unknown> };

export const appSummaries: z.ZodType<readonly AppSummary[]> = z.array(
  z.object({
    name: z.string(),
    revision,
    deploy: z.int(),
    share: z.number(),
    groups: z.array(z.string()),
    servers: z.int(),
    testing: z.boolean(),
    release: releaseSummary
      .nullable()
      .describe("the one that runs, or ran last; null: there never was one, or another version wrote it"),
    freeze: freezeAnswer.nullable().describe("what stops every step forward of its releases"),
  }),
);

// Whether the app has that many groups, and how many decimals a share has, is the document's affair: it is checked by
// the same code as in a whole document. Numbers written as text are taken, as everywhere.
export const deployRequest: z.ZodType<DeployRequest> = closedObject(
  {
    deploy: z.union([z.number(), z.string()], "the number of the group under test, or 0"),
    share: z.union([z.number(), z.string()], "a percentage from 0 to 100").exactOptional(),
    testing: z.boolean("true or false").exactOptional(),
  },
  '{"deploy": 0..n, "share": 0..100, "testing": true | false}',
);

export const deployState: z.ZodType<DeployState> = z.object({
  name: z.string(),
  deploy: z.int(),
  share: z.number(),
  revision,
});

export const explainRequest: z.ZodType<ExplainRequest> = closedObject(
  {
    ip: checkedText((text) => canonicalAddress(text) !== undefined, "an IPv4 or IPv6 address"),
    headers: z
      .record(z.string(), z.string("the field's value as text"), "field names with their values")
      .default({}),
    certificate: closedObject(
      Object.fromEntries(
        CERTIFICATE_ATTRIBUTES.map((name) => [
          name,
          listOf(z.string("the attribute's value as text"), "values").exactOptional(),
        ]),
      ),
      '{"OU": [VALUE]}, the attributes of the certificate',
    ).default({}),
  },
  '{"ip": ADDRESS, "headers": {NAME: VALUE}, "certificate": {ATTRIBUTE: [VALUE]}}',
);

export const explanation: z.ZodType<Omit<Explanation, "rule">> = z.object({
  app: z.string(),
  revision,
  ip: z.string(),
  deploy: z.int(),
  share: z.number(),
  groups: z.array(z.string()),
  pool: z.array(z.object({ server: z.string(), group: z.string(), weight: z.int() })),
  rule: z.looseObject({ kind: z.enum(["everybody", "tester", "share", "public"]) }),
  sentence: z.string(),
});

export const serverRow: z.ZodType<ServerRow> = z.object({
  group: z.string(),
  server: z.string(),
  weight: z.int(),
  inFlight: z.int(),
  requests: z.int(),
  failures: z.int(),
  state: z.enum(["up", "dead", "quarantined"]),
  deadUntil: z.string().nullable(),
  healthy: z.boolean(),
  lastError: z.string().nullable(),
});

export const serverRows: z.ZodType<readonly ServerRow[]> = z.array(serverRow);

export const auditEntries: z.ZodType<readonly AuditEntry[]> = z.array(
  z.object({
    at: z.string(),
    by: z.string(),
    what: z.string(),
    app: z.string(),
    from: z.int().nullable(),
    to: z.int().nullable(),
    refused: z.string().exactOptional(),
  }),
);

export const auditLimit: z.ZodType<number> = wholeNumber(1, 1000);

export const health: z.ZodType<{ readonly status: "ok" }> = z.object({ status: z.literal("ok") });

const directoryStatus = z.looseObject({
  directory: z.string(),
  state: z.enum(["current", "backup"]),
  since: z.string(),
  reason: z.string().optional(),
  differences: z.int(),
});

export const readinessAnswer: z.ZodType = z.object({
  status: z.enum(["ready", "not ready", "draining"]),
  directory: directoryStatus,
  workers: z.object({ running: z.int(), expected: z.int() }),
  listen: z.array(z.string()),
  audit: z.string().describe('"current", or why the newest entries are not on disk'),
  tokens: z.string().describe('"current", or why none but admin is known'),
});

export const openApiAnswer: z.ZodType = z.looseObject({ openapi: z.string() });

export const problemDocument: z.ZodType<ProblemDocument> = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  problems: z.array(z.object({ path: z.string(), found: z.string(), expected: z.string() })).optional(),
  current: revision.nullable().optional(),
  refusals: z.array(z.object({ code: z.string(), reason: z.string() })).optional(),
});
