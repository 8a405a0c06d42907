import type { Context } from "hono";
import { formatProblems } from "../config/format-problems.ts";
import type { AdminDeps } from "./admin-deps.ts";
import type { ProblemDocument } from "./api-problem.ts";
import type { AdminEnv, Operation } from "./operation.ts";

/**
 * A handler of a write, whose refusals go into the audit too: what was stored is recorded by the store's listener.
 * Requests without a valid token never come here, so an outsider cannot fill the disk.
 */
export function audited(deps: AdminDeps, what: string, handle: Operation["handle"]): Operation["handle"] {
  return async (c) => {
    const answer = await handle(c);
    if (!answer.ok) await recordRefusal(c, deps, what, answer);
    return answer;
  };
}

async function recordRefusal(
  c: Context<AdminEnv>,
  deps: AdminDeps,
  what: string,
  answer: Response,
): Promise<void> {
  // Under /tokens the name is that of a token.
  const app = c.req.path.startsWith("/api/v1/tokens/") ? "" : (c.req.param("name") ?? "");
  const { detail, problems = [] } = (await answer.clone().json()) as ProblemDocument;
  const entry = {
    at: new Date(deps.now()).toISOString(),
    by: c.var.by,
    what,
    app,
    from: deps.store.get(app)?.revision ?? null,
    to: null,
    refused: [detail, ...formatProblems(problems)].join("; "),
  };
  // Nothing was changed, so an audit that cannot be written (/readyz says so) takes nothing from the answer.
  await deps.audit.record(entry).catch(() => undefined);
}
