import type { AdminDeps } from "./admin-deps.ts";
import { unauthorized } from "./access.ts";
import { refusal } from "./api-problem.ts";
import { audited } from "./audited.ts";
import type { Operation } from "./operation.ts";
import { ROLES, suffices } from "./role.ts";

/** The operation for those whose role suffices; what others try to change goes into the audit, like every refusal. */
export function authorized(deps: AdminDeps, operation: Operation): Operation {
  const { id, method, role, handle } = operation;
  if (role === "anyone") return operation;
  const refuse: Operation["handle"] = (c) => {
    const { name, role: found } = c.var.identity;
    const enough = ROLES.slice(ROLES.indexOf(role)).join(" or ");
    const stays = method === "get" ? "nothing was read" : "nothing was changed";
    return refusal("forbidden", `found role ${found} of the token ${name}, expected ${enough}; ${stays}`);
  };
  const refused = method === "get" ? refuse : audited(deps, id, refuse);
  return {
    ...operation,
    handle(c) {
      // Only if an operation were mounted where authentication does not look: closed then.
      if (c.get("identity") === undefined) return unauthorized("nobody who has proved who it is");
      return suffices(c.var.identity.role, role) ? handle(c) : refused(c);
    },
  };
}
