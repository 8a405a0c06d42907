import type { Context } from "hono";
import { formatProblems } from "../config/format-problems.ts";
import { DirectoryUnavailable } from "../directory/directory.ts";
import { readCase } from "../release/case.ts";
import type { ReleaseService } from "../release/release-service.ts";
import { lift, quarantine } from "../release/route-document.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { nameOf, noSuchApp } from "./app-operations.ts";
import { audited } from "./audited.ts";
import type { AdminEnv, Operation } from "./operation.ts";
import { tellingUnreadable } from "./release-operations.ts";
import { noVerdictYet, quarantineAnswer, verdictAnswer, verdictJson } from "./verdict-schemas.ts";

const NOT_YET =
  "No window was judged yet: a version is judged from the first share of clients on, as soon as the warm-up and a first window are over.";

/** The evidence on a release, and the servers that are kept out. */
export function verdictOperations(deps: AdminDeps, releases: ReleaseService): readonly Operation[] {
  const path = "/api/v1/apps/{name}/quarantine/{server}";
  const answers = { 200: { description: "Those in quarantine now", schema: quarantineAnswer } };
  const refusals = [404, 409, 422, 503];
  const operations: readonly Operation[] = [
    {
      id: "getVerdict",
      role: "viewer",
      method: "get",
      path: "/api/v1/apps/{name}/verdict",
      summary: "Is the new version worse? The evidence so far, in numbers and in words",
      answers: { 200: { description: "As of the last window", schema: verdictAnswer } },
      refusals: [404, 503],
      async handle(c) {
        const name = nameOf(c);
        if (deps.store.get(name) === undefined) return noSuchApp(deps, name);
        const release = releases.view(name);
        if (release === undefined) {
          return refusal("no-release", `found no release of app ${name}; expected one that was begun`);
        }
        try {
          const kept = await deps.fleet.roster.verdict(name);
          const report = kept?.release === release.id ? readCase(kept.state)?.report : undefined;
          return c.json(
            report === undefined || report === null
              ? noVerdictYet(name, release.id, NOT_YET)
              : verdictJson(name, report),
          );
        } catch (error) {
          if (!(error instanceof DirectoryUnavailable)) throw error;
          return refusal("directory-unavailable", `the evidence cannot be read: ${error.message}`);
        }
      },
    },
    {
      id: "quarantineServer",
      role: "operator",
      method: "put",
      path,
      summary: "The server gets no request any more, until that is lifted; what is in flight there ends",
      answers,
      refusals,
      handle: audited(deps, "quarantine", (c) => change(deps, c, "put")),
    },
    {
      id: "liftQuarantine",
      role: "operator",
      method: "delete",
      path,
      summary: "The server serves again",
      answers,
      refusals,
      handle: audited(deps, "quarantine lifted", (c) => change(deps, c, "lift")),
    },
  ];
  return operations.map(tellingUnreadable);
}

async function change(deps: AdminDeps, c: Context<AdminEnv>, how: "put" | "lift"): Promise<Response> {
  const name = nameOf(c);
  const server = c.req.param("server") ?? "";
  const result = await deps.store.advance(name, c.var.by, ({ document, releases }) => {
    const changed = how === "put" ? quarantine(document, [server]) : lift(document, server);
    if (changed === document) return undefined;
    const what = how === "put" ? `quarantine of ${server}` : `quarantine of ${server} lifted`;
    return { document: changed, releases, what };
  });
  switch (result.kind) {
    case "stored":
    case "unchanged":
      return c.json({ app: name, quarantine: result.app.document.quarantine ?? [] });
    case "missing":
      return noSuchApp(deps, name);
    case "invalid": {
      const { problems } = result;
      const detail = `${server} cannot go into quarantine: ${formatProblems(problems).join("; ")}; nothing was changed`;
      return refusal("invalid-document", detail, { problems });
    }
    case "unavailable":
    case "locked":
      return refusal("directory-unavailable", `${result.reason}; what is in force stays`);
    case "stale":
    case "fenced":
    case "deleted":
      return refusal(
        "refused",
        "the app was changed again and again meanwhile; nothing was changed, try again",
      );
  }
}
