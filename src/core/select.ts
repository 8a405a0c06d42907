import type { App, TesterRule, Testers } from "./app.ts";
import { countedBy, hundredthsOf } from "./bucket.ts";
import { textHash } from "./text-hash.ts";
import { findClientKey } from "./client-key.ts";
import type { Client } from "./client.ts";

export type { Client } from "./client.ts";

/** all: the groups merged; test: the group under test; rest: all groups but that one, merged. */
export type PoolName = "all" | "test" | "rest";

/** Which rule decided, with the facts it decided on. */
export type Rule =
  /** Nothing is being updated. */
  | { readonly kind: "everybody" }
  /** `entry` is the address or range of the document that covers the client. */
  | { readonly kind: "tester"; readonly by: "address"; readonly entry: string }
  | { readonly kind: "tester"; readonly by: "header" | "cookie" | "certificate"; readonly name: string }
  /** Drawn: the client's bucket is below the share. `bucket` and `key` are undefined at 100 %, where nothing is drawn. */
  | {
      readonly kind: "share";
      readonly share: number;
      readonly bucket: number | undefined;
      /** What the bucket was drawn from: "cookie uid", "address". */
      readonly key: string | undefined;
    }
  /**
   * Everybody else. `bucket` and `key` are undefined when nothing was drawn: the share is 0, or the group under test
   * is `closed` (being drained or updated, nobody is sent there, testers included).
   */
  | {
      readonly kind: "public";
      readonly share: number;
      readonly bucket: number | undefined;
      readonly key: string | undefined;
      readonly closed: boolean;
    };

export interface Selection {
  readonly pool: PoolName;
  readonly rule: Rule;
  /** Hash that the client is counted by when versions are compared; 0: it was not told apart from others. */
  readonly client: number;
}

const EVERYBODY: Selection = { pool: "all", rule: { kind: "everybody" }, client: 0 };
const CLOSED: Selection = {
  pool: "rest",
  rule: { kind: "public", share: 0, bucket: undefined, key: undefined, closed: true },
  client: 0,
};
const NOBODY_DRAWN: Selection = {
  pool: "rest",
  rule: { kind: "public", share: 0, bucket: undefined, key: undefined, closed: false },
  client: 0,
};
const ALL_DRAWN: Selection = {
  pool: "test",
  rule: { kind: "share", share: 100, bucket: undefined, key: undefined },
  client: 0,
};

/**
 * Whose turn it is to see which version: the pool for this request, and the rule that decided. Depends on nothing but
 * its arguments, so that every gateway sends the same client the same way.
 *
 * An app with `deploy` other than 0 has at least two groups; its document would have been refused otherwise.
 */
export function select(app: App, client: Client): Selection {
  if (app.deploy === 0) return app.tally === undefined ? EVERYBODY : toldApart(app, client);
  if (!app.testing) return CLOSED;
  return selectTester(app.testers, client) ?? selectByShare(app, client);
}

/**
 * The selection by a newer snapshot of the app, for a try of a request that was selected by an older one: by what decided
 * then, as the client is not asked again. It never leads to a group that takes nobody any more.
 */
export function reselect(app: App, { rule, client }: Selection): Selection {
  if (app.deploy === 0) return EVERYBODY;
  if (!app.testing) return CLOSED;
  if (rule.kind === "tester") return { pool: "test", rule, client };
  const { share } = app;
  if (share <= 0) return NOBODY_DRAWN;
  if (share >= 100) return ALL_DRAWN;
  const { bucket, key } =
    rule.kind === "everybody"
      ? { bucket: undefined, key: undefined }
      : { bucket: rule.bucket, key: rule.key };
  return bucket !== undefined && bucket < share
    ? { pool: "test", rule: { kind: "share", share, bucket, key }, client }
    : { pool: "rest", rule: { kind: "public", share, bucket, key, closed: false }, client };
}

/** Nobody is drawn, but groups that serve together are compared: one of them has just come back. */
function toldApart(app: App, client: Client): Selection {
  const { value } = findClientKey(app.stickiness, client);
  return { ...EVERYBODY, client: countedBy(textHash(app.name, app.draw, value)) };
}

function selectTester(testers: Testers, client: Client): Selection | undefined {
  if (testers.addresses.size > 0) {
    const entry = testers.addresses.match(client.address);
    if (entry !== undefined)
      return { pool: "test", rule: { kind: "tester", by: "address", entry }, client: 0 };
  }
  for (const rule of testers.rules) {
    if (fits(rule, client)) {
      return { pool: "test", rule: { kind: "tester", by: rule.kind, name: rule.name }, client: 0 };
    }
  }
  return undefined;
}

function fits(rule: TesterRule, client: Client): boolean {
  switch (rule.kind) {
    case "header":
      return client.header(rule.name) === rule.equals;
    case "cookie":
      return client.cookie(rule.name) === rule.equals;
    case "certificate":
      return client.certificate(rule.name).includes(rule.equals);
  }
}

function selectByShare(app: App, client: Client): Selection {
  const { share } = app;
  if (share <= 0) return NOBODY_DRAWN;
  if (share >= 100) return ALL_DRAWN;
  const { value, from: key } = findClientKey(app.stickiness, client);
  const hash = textHash(app.name, app.draw, value);
  const place = hundredthsOf(hash);
  const bucket = place / 100;
  const counted = countedBy(hash);
  return place < Math.round(share * 100)
    ? { pool: "test", rule: { kind: "share", share, bucket, key }, client: counted }
    : { pool: "rest", rule: { kind: "public", share, bucket, key, closed: false }, client: counted };
}
