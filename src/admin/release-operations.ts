import type { Context } from "hono";
import { parseDuration } from "../config/duration.ts";
import { type StoredFreeze, UnreadableRecord } from "../release/release-record.ts";
import type { CommandRequest, ReleaseAnswer, ReleaseService } from "../release/release-service.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { nameOf, noSuchApp } from "./app-operations.ts";
import { audited } from "./audited.ts";
import type { AdminEnv, Operation } from "./operation.ts";
import { JSON_TYPES, readChecked, readOptional } from "./read-body.ts";
import {
  freezeAnswer,
  freezeJson,
  freezeRequest,
  pastReleaseJson,
  pastReleases,
  previewAnswer,
  releaseAnswer,
  releaseJson,
  releaseWords,
  startRequest,
  type FreezeRequest,
  type PreviewJson,
} from "./release-schemas.ts";

const COMMANDS: Readonly<Record<CommandRequest["type"], string>> = {
  continue: "Ends a wait for a person; in trouble: goes on all the same",
  retry: "Runs a hook again that failed, or of which nobody knows how it ended",
  pause: "Stops before the next step",
  resume: "Ends a pause; time goes on from where it stood",
  rollback: "Back to the version before; taken at any time before the end, whatever `step` says",
};

/** Releases, what is said to them, and freezes. */
export function releaseOperations(deps: AdminDeps, releases: ReleaseService): readonly Operation[] {
  return operationsOf(deps, releases).map(tellingUnreadable);
}

/** What another version of this program wrote is told as such, whatever was asked. */
export function tellingUnreadable(operation: Operation): Operation {
  const { refusals = [], handle } = operation;
  return {
    ...operation,
    refusals: [...new Set([...refusals, 409])].sort((one, other) => one - other),
    async handle(c) {
      try {
        return await handle(c);
      } catch (error) {
        if (!(error instanceof UnreadableRecord)) throw error;
        const unreadable = [{ code: "unreadable", reason: error.message }];
        return refusal("refused", error.message, { refusals: unreadable });
      }
    },
  };
}

function operationsOf(deps: AdminDeps, releases: ReleaseService): readonly Operation[] {
  const view = { description: "The release as it is now", schema: releaseAnswer };
  return [
    {
      id: "startRelease",
      method: "post",
      path: "/api/v1/apps/{name}/release",
      role: "operator",
      summary: "Begins a release; what is left out comes from the app's document, then from defaults",
      body: { schema: startRequest, types: JSON_TYPES },
      answers: { 201: { description: "Begun", schema: releaseAnswer, headers: ["Location"] } },
      refusals: [400, 404, 409, 413, 415, 422, 503],
      handle: audited(deps, "release start", async (c) => {
        const body = await readChecked(c, startRequest);
        if (!body.ok) return body.answer;
        const answer = await releases.start(nameOf(c), body.value, c.var.by);
        if (answer.kind !== "done") return refusalOf(deps, c, answer);
        const location = `/api/v1/apps/${encodeURIComponent(nameOf(c))}/release`;
        return c.json(releaseJson(answer.view), 201, { Location: location });
      }),
    },
    {
      id: "previewRelease",
      method: "post",
      path: "/api/v1/apps/{name}/release/preview",
      role: "viewer",
      summary: "What would become of such a release now: its plan, and everything against it; begins nothing",
      body: { schema: startRequest, types: JSON_TYPES },
      answers: { 200: { description: "What would become of it", schema: previewAnswer } },
      refusals: [400, 404, 413, 415, 422, 503],
      async handle(c) {
        const body = await readChecked(c, startRequest);
        if (!body.ok) return body.answer;
        const answer = await releases.preview(nameOf(c), body.value);
        if (answer.kind !== "preview") return refusalOf(deps, c, answer);
        const { plan = null, refusals, hooks } = answer;
        return c.json({ plan, refusals, hooks } satisfies PreviewJson);
      },
    },
    {
      id: "getRelease",
      method: "get",
      path: "/api/v1/apps/{name}/release",
      role: "viewer",
      summary: "The release that runs, or ran last",
      answers: { 200: view },
      refusals: [404],
      handle(c) {
        const found = releases.view(nameOf(c));
        return found === undefined ? noRelease(deps, nameOf(c)) : c.json(releaseJson(found));
      },
    },
    ...Object.entries(COMMANDS).map(([type, summary]): Operation => ({
      id: `${type}Release`,
      method: "post",
      path: `/api/v1/apps/{name}/release/${type}`,
      role: "operator",
      summary,
      body: { schema: releaseWords, types: JSON_TYPES, optional: true },
      answers: { 200: view },
      refusals: [400, 404, 409, 413, 415, 422, 503],
      handle: audited(deps, `release ${type}`, async (c) => {
        const body = await readOptional(c, releaseWords);
        if (!body.ok) return body.answer;
        const request = { type: type as CommandRequest["type"], ...body.value };
        const answer = await releases.command(nameOf(c), request, c.var.by);
        return answer.kind === "done" ? c.json(releaseJson(answer.view)) : refusalOf(deps, c, answer);
      }),
    })),
    {
      id: "listReleases",
      method: "get",
      path: "/api/v1/apps/{name}/releases",
      role: "viewer",
      summary: "The releases of the app in short, the current one included",
      answers: { 200: { description: "The newest first", schema: pastReleases } },
      refusals: [404],
      handle(c) {
        if (deps.store.get(nameOf(c)) === undefined) return noSuchApp(deps, nameOf(c));
        return c.json(releases.history(nameOf(c)).map(pastReleaseJson));
      },
    },
    ...freezeOperations(deps, releases),
  ];
}

function freezeOperations(deps: AdminDeps, releases: ReleaseService): readonly Operation[] {
  const path = "/api/v1/apps/{name}/freeze";
  const set = async (
    c: Context<AdminEnv>,
    freeze: Parameters<ReleaseService["freeze"]>[1],
  ): Promise<Response | undefined> => {
    const done = await releases.freeze(nameOf(c), freeze, c.var.by);
    if (done.kind === "missing") return noSuchApp(deps, nameOf(c));
    return done.kind === "unavailable" ? unavailable(done.reason) : undefined;
  };
  return [
    {
      id: "freezeApp",
      method: "put",
      path,
      role: "operator",
      summary: "No release of the app takes a step forward, until then; a rollback is always possible",
      body: { schema: freezeRequest, types: JSON_TYPES },
      answers: { 200: { description: "The freeze in force", schema: freezeAnswer } },
      refusals: [400, 404, 413, 415, 422, 503],
      handle: audited(deps, "freeze", async (c) => {
        const body = await readChecked(c, freezeRequest);
        if (!body.ok) return body.answer;
        const { reason } = body.value;
        const now = deps.now();
        const until = untilOf(body.value, now);
        if (until instanceof Response) return until;
        const refused = await set(c, { until, reason });
        const asked: StoredFreeze = { until, reason, by: c.var.by, since: now };
        return refused ?? c.json(freezeJson(nameOf(c), releases.freezeOf(nameOf(c)) ?? asked));
      }),
    },
    {
      id: "getFreeze",
      method: "get",
      path,
      role: "viewer",
      summary: "The freeze in force; one that is over is none",
      answers: { 200: { description: "What stops every step forward", schema: freezeAnswer } },
      refusals: [404],
      handle(c) {
        const name = nameOf(c);
        if (deps.store.get(name) === undefined) return noSuchApp(deps, name);
        const freeze = releases.freezeOf(name);
        if (freeze === undefined || (freeze.until !== null && freeze.until <= deps.now())) {
          return refusal("no-freeze", `nothing stops releases of app ${name}`);
        }
        return c.json(freezeJson(name, freeze));
      },
    },
    {
      id: "unfreezeApp",
      method: "delete",
      path,
      role: "operator",
      summary: "Lifts the freeze, if there is one",
      answers: { 204: { description: "There is none now" } },
      refusals: [404, 503],
      handle: audited(deps, "unfreeze", async (c) => (await set(c, undefined)) ?? c.body(null, 204)),
    },
  ];
}

/** In ms since the epoch; null: until it is lifted. */
function untilOf({ for: length, until }: FreezeRequest, now: number): number | null | Response {
  if (length !== undefined && until !== undefined) {
    const problem = { path: "until", found: "both for and until", expected: "one of them" };
    return refusal("invalid-document", "the body is not valid; nothing was changed", { problems: [problem] });
  }
  if (length !== undefined) return now + parseDuration(length)!;
  if (until === undefined) return null;
  const end = Date.parse(until);
  if (end > now) return end;
  const problem = {
    path: "until",
    found: until,
    expected: `a time to come; it is ${new Date(now).toISOString()}`,
  };
  return refusal("invalid-document", "the body is not valid; nothing was changed", { problems: [problem] });
}

function refusalOf(
  deps: AdminDeps,
  c: Context<AdminEnv>,
  answer: Exclude<ReleaseAnswer, { kind: "done" }>,
): Response {
  switch (answer.kind) {
    case "missing":
      return answer.what === "app" ? noSuchApp(deps, nameOf(c)) : noRelease(deps, nameOf(c));
    case "unavailable":
      return unavailable(answer.reason);
    case "refused": {
      const { refusals } = answer;
      return refusal("refused", refusals.map(({ reason }) => reason).join("; and: "), { refusals });
    }
  }
}

function noRelease(deps: AdminDeps, name: string): Response {
  if (deps.store.get(name) === undefined) return noSuchApp(deps, name);
  return refusal("no-release", `found no release of app ${name}; expected one that was begun`);
}

function unavailable(reason: string): Response {
  return refusal("directory-unavailable", `${reason}; what is in force stays`);
}
