import type { Context } from "hono";
import type { Problem } from "../config/problem.ts";
import type { Expected, StoredApp } from "../directory/directory.ts";
import type { StoreResult } from "../directory/app-store.ts";
import { UnreadableRecord } from "../release/release-record.ts";
import type { ReleaseService } from "../release/release-service.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { audited } from "./audited.ts";
import { freezeJson, releaseInShort } from "./release-schemas.ts";
import type { AdminEnv, Operation, Parameter } from "./operation.ts";
import { etag, readPrecondition } from "./precondition.ts";
import { DOCUMENT_TYPES, JSON_TYPES, readBody, readChecked } from "./read-body.ts";
import {
  appDocument,
  appSummaries,
  deployRequest,
  deployState,
  etagText,
  type AppSummary,
} from "./schemas.ts";

const IF_MATCH: Parameter = {
  in: "header",
  name: "If-Match",
  description: 'The revision that was read, like "7", or * for whatever stands.',
  schema: etagText,
};

const IF_NONE_MATCH: Parameter = {
  in: "header",
  name: "If-None-Match",
  description: "Only *: the app must not exist yet.",
  schema: etagText,
};

/** Documents of apps, and the switch. */
export function appOperations(deps: AdminDeps): readonly Operation[] {
  const { store } = deps;
  return [
    {
      id: "listApps",
      method: "get",
      path: "/api/v1/apps",
      role: "viewer",
      summary: "All apps in short",
      answers: { 200: { description: "Ordered by name", schema: appSummaries } },
      handle: (c) => c.json(store.list().map((app) => summary(app, deps.releases))),
    },
    {
      id: "getApp",
      method: "get",
      path: "/api/v1/apps/{name}",
      role: "viewer",
      summary: "The document alone; its revision is the ETag",
      answers: { 200: { description: "The document", schema: appDocument, headers: ["ETag"] } },
      refusals: [404],
      handle(c) {
        const app = store.get(nameOf(c));
        return app === undefined ? noSuchApp(deps, nameOf(c)) : documentAnswer(c, app, 200);
      },
    },
    {
      id: "putApp",
      method: "put",
      path: "/api/v1/apps/{name}",
      role: "operator",
      summary: "Creates or replaces the app; canonical form, or one of the original's",
      parameters: [IF_MATCH, IF_NONE_MATCH],
      body: { schema: appDocument, types: DOCUMENT_TYPES },
      answers: {
        200: { description: "Replaced: the document in force", schema: appDocument, headers: ["ETag"] },
        201: { description: "Created", schema: appDocument, headers: ["ETag"] },
      },
      refusals: [400, 412, 413, 415, 422, 428, 503],
      handle: audited(deps, "put", async (c) => {
        const expected = requiredPrecondition(c);
        if (expected instanceof Response) return expected;
        const body = await readBody(c, DOCUMENT_TYPES);
        if (!body.ok) return body.answer;
        const result = await store.put(nameOf(c), body.value, expected, c.var.by);
        if (result.kind === "stored") return documentAnswer(c, result.app, result.created ? 201 : 200);
        return refusalOf(deps, nameOf(c), result);
      }),
    },
    {
      id: "deleteApp",
      method: "delete",
      path: "/api/v1/apps/{name}",
      role: "admin",
      summary: "Deletes the app",
      parameters: [IF_MATCH],
      answers: { 204: { description: "Deleted" } },
      refusals: [400, 404, 412, 428, 503],
      handle: audited(deps, "delete", async (c) => {
        const expected = requiredPrecondition(c);
        if (expected instanceof Response) return expected;
        const result = await store.delete(nameOf(c), expected, c.var.by);
        if (result.kind === "deleted") return c.body(null, 204);
        return refusalOf(deps, nameOf(c), result);
      }),
    },
    {
      id: "deployApp",
      method: "put",
      path: "/api/v1/apps/{name}/deploy",
      role: "operator",
      summary:
        "The switch: which group is under test (0: none), and the share of clients sent there (absent: 0)",
      parameters: [IF_MATCH],
      body: { schema: deployRequest, types: JSON_TYPES },
      answers: { 200: { description: "What is in force now", schema: deployState, headers: ["ETag"] } },
      refusals: [400, 404, 412, 413, 415, 422, 503],
      handle: audited(deps, "deploy", async (c) => {
        const expected = precondition(c);
        if (expected instanceof Response) return expected;
        const body = await readChecked(c, deployRequest);
        if (!body.ok) return body.answer;
        const result = await store.setDeploy(nameOf(c), body.value, expected ?? "any", c.var.by);
        if (result.kind !== "stored") return refusalOf(deps, nameOf(c), result);
        const { name, revision, document } = result.app;
        const state = { name, deploy: document.deploy ?? 0, share: document.share ?? 0, revision };
        return c.json(state, 200, { ETag: etag(revision) });
      }),
    },
  ];
}

/** 404; names the apps there are, if they are few. */
export function noSuchApp(deps: AdminDeps, name: string): Response {
  const names = deps.store.list().map((app) => app.name);
  const known = names.length > 10 ? `${names.length} others` : names.join(", ") || "none";
  return refusal("no-such-app", `found no app ${JSON.stringify(name)}; the apps are: ${known}`);
}

/** The app's name in the path, decoded. */
export function nameOf(c: Context<AdminEnv>): string {
  return c.req.param("name") ?? "";
}

function summary({ name, revision, document }: StoredApp, releases?: ReleaseService): AppSummary {
  const groups = Object.entries(document.groups);
  return {
    name,
    revision,
    deploy: document.deploy ?? 0,
    share: document.share ?? 0,
    groups: groups.map(([group]) => group),
    servers: groups.reduce((sum, [, group]) => sum + group.servers.length, 0),
    testing: document.testing ?? true,
    ...(releases === undefined ? { release: null, freeze: null } : releasesInShort(name, releases)),
  };
}

/** One app whose record cannot be read does not hide all others. */
function releasesInShort(name: string, releases: ReleaseService): Pick<AppSummary, "release" | "freeze"> {
  try {
    const view = releases.view(name);
    const freeze = releases.freezeOf(name);
    return {
      release: view === undefined ? null : releaseInShort(view),
      freeze: freeze === undefined ? null : freezeJson(name, freeze),
    };
  } catch (error) {
    if (error instanceof UnreadableRecord) return { release: null, freeze: null };
    throw error;
  }
}

function documentAnswer(c: Context<AdminEnv>, app: StoredApp, status: 200 | 201): Response {
  return c.body(JSON.stringify(app.document), status, {
    "Content-Type": "application/json",
    ETag: etag(app.revision),
    ...(status === 201 ? { Location: `/api/v1/apps/${encodeURIComponent(app.name)}` } : {}),
  });
}

function precondition(c: Context<AdminEnv>): Expected | undefined | Response {
  const read = readPrecondition(c.req.header("if-match"), c.req.header("if-none-match"));
  if (read.kind === "malformed") return refusal("bad-request", `${read.detail}; nothing was changed`);
  return read.kind === "expected" ? read.expected : undefined;
}

function requiredPrecondition(c: Context<AdminEnv>): Expected | Response {
  return (
    precondition(c) ??
    refusal(
      "precondition-required",
      'found no If-Match, expected the ETag of the document that was read (If-Match: "7"), ' +
        "If-Match: * for whatever stands, or If-None-Match: * for a new app; nothing was changed",
    )
  );
}

/** Why nothing was changed. */
export function refusalOf(deps: AdminDeps, name: string, result: StoreResult): Response {
  switch (result.kind) {
    case "invalid":
      return invalidDocument(deps.store.get(name), result.problems);
    case "stale":
      return stale(name, result.current);
    case "missing":
      return noSuchApp(deps, name);
    case "locked":
      return refusal("locked", `${result.reason}; nothing was changed`);
    case "fenced":
      return refusal(
        "stale",
        `the lock ${result.lock} was given to another gateway meanwhile; nothing was changed`,
      );
    case "unavailable":
      return refusal(
        "directory-unavailable",
        `${result.reason}; nothing was changed, what was in force stays`,
      );
    case "stored":
    case "deleted":
      break;
  }
  throw new Error(`app ${name} was ${result.kind} by what must not do that`);
}

function invalidDocument(current: StoredApp | undefined, problems: readonly Problem[]): Response {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const stays = current === undefined ? "nothing was stored" : "the previous document stays in force";
  return refusal("invalid-document", `found ${count}; ${stays}`, { problems });
}

function stale(name: string, current: StoredApp | undefined): Response {
  if (current === undefined) {
    const detail = `found no app ${JSON.stringify(name)}: it was deleted, or never existed`;
    return refusal("stale", detail, { current: null });
  }
  const { revision } = current;
  const detail = `found revision ${revision}, which stays in force; read it, and try again`;
  return refusal("stale", detail, { current: revision, headers: { ETag: etag(revision) } });
}
