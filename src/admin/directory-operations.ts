import type { Difference } from "../directory/directory-status.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { noSuchApp, refusalOf } from "./app-operations.ts";
import { audited } from "./audited.ts";
import type { Operation } from "./operation.ts";
import { JSON_TYPES, readChecked } from "./read-body.ts";
import { differenceRows, restoreRequest, restoreState, type DifferenceRow } from "./schemas.ts";

/** Where the directory holds something else than what is in force, and how that ends. */
export function directoryOperations(deps: AdminDeps): readonly Operation[] {
  return [
    {
      id: "listDifferences",
      method: "get",
      path: "/api/v1/directory/differences",
      role: "viewer",
      summary: "Apps of which the directory holds something that would be a step back, and is not taken",
      answers: { 200: { description: "Empty when all is well", schema: differenceRows } },
      handle: (c) => c.json(deps.store.differences().map(row)),
    },
    {
      id: "restoreApp",
      method: "post",
      path: "/api/v1/directory/differences/{name}/restore",
      role: "admin",
      summary:
        "Ends a difference for every gateway: one of the two sides is stored above all revisions known",
      body: { schema: restoreRequest, types: JSON_TYPES },
      answers: { 200: { description: "What is in force now", schema: restoreState } },
      refusals: [400, 404, 412, 413, 415, 422, 503],
      handle: audited(deps, "restore", async (c) => {
        const name = c.req.param("name") ?? "";
        const body = await readChecked(c, restoreRequest);
        if (!body.ok) return body.answer;
        const result = await deps.store.restore(name, body.value.from, c.var.by);
        if (result.kind === "stored") return c.json({ name, revision: result.app.revision });
        if (result.kind === "deleted") return c.json({ name, revision: null });
        if (result.kind !== "missing") return refusalOf(deps, name, result);
        if (deps.store.get(name) === undefined) return noSuchApp(deps, name);
        return refusal(
          "no-difference",
          `found no difference of app ${name}: the directory holds what is in force`,
        );
      }),
    },
  ];
}

function row({ name, answer, inForce, stored }: Difference): DifferenceRow {
  return {
    name,
    answer,
    inForce: inForce === undefined ? null : { revision: inForce.revision, document: inForce.document },
    directory: stored === undefined ? null : { revision: stored.revision, document: stored.document },
  };
}
