import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { audited } from "./audited.ts";
import { parseLifetime } from "../config/lifetime.ts";
import type { Operation } from "./operation.ts";
import { JSON_TYPES, readChecked } from "./read-body.ts";
import { madeToken, tokenRequest, tokenRows } from "./schemas.ts";
import type { TokenRefusal } from "./token-book.ts";

/** Tokens with names: made, listed, revoked. */
export function tokenOperations(deps: AdminDeps): readonly Operation[] {
  const { tokens } = deps.access;
  const record = async (by: string, what: string): Promise<void> => {
    const at = new Date(deps.now()).toISOString();
    // As with every change, an audit that cannot be written (/readyz says so) stops nothing.
    await deps.audit.record({ at, by, what, app: "", from: null, to: null }).catch(() => undefined);
  };
  return [
    {
      id: "listTokens",
      method: "get",
      path: "/api/v1/tokens",
      role: "admin",
      summary: "Every token that opens this API: its name, its role, until when; never its text",
      answers: { 200: { description: "In the order they were made", schema: tokenRows } },
      refusals: [503],
      async handle(c) {
        const listed = await tokens.list();
        return "kind" in listed ? refusalOf("", listed) : c.json(listed);
      },
    },
    {
      id: "createToken",
      method: "post",
      path: "/api/v1/tokens",
      role: "admin",
      summary: "Makes a token; the answer is the only place where its text ever stands",
      body: { schema: tokenRequest, types: JSON_TYPES },
      answers: { 201: { description: "Made", schema: madeToken } },
      refusals: [400, 409, 413, 415, 422, 503],
      handle: audited(deps, "token create", async (c) => {
        const body = await readChecked(c, tokenRequest);
        if (!body.ok) return body.answer;
        const { name, role, expires } = body.value;
        const lifetime = expires === undefined ? undefined : parseLifetime(expires);
        const wanted = { name, role, ...(lifetime !== undefined && { lifetime }) };
        const made = await tokens.create(wanted, c.var.by);
        if (made.kind !== "created") return refusalOf(name, made);
        const until = made.token.expires === null ? "" : ` until ${made.token.expires}`;
        await record(c.var.by, `token create ${name} ${role}${until}`);
        return c.json({ ...made.token, token: made.text }, 201);
      }),
    },
    {
      id: "revokeToken",
      method: "delete",
      path: "/api/v1/tokens/{name}",
      role: "admin",
      summary: "The token opens nothing any more, and its sessions end",
      answers: { 204: { description: "Revoked" } },
      refusals: [404, 409, 503],
      handle: audited(deps, "token revoke", async (c) => {
        const name = c.req.param("name") ?? "";
        const revoked = await tokens.revoke(name);
        if (revoked.kind !== "revoked") return refusalOf(name, revoked);
        await record(c.var.by, `token revoke ${name}`);
        return c.body(null, 204);
      }),
    },
  ];
}

function refusalOf(name: string, refused: TokenRefusal): Response {
  switch (refused.kind) {
    case "missing":
      return refusal("no-such-token", `found no token ${JSON.stringify(name)}; nothing was changed`);
    case "taken":
      return refusal("token-exists", `${refused.reason}; nothing was changed`);
    case "full":
    case "fixed":
      return refusal("token-refused", `${refused.reason}; nothing was changed`);
    case "unavailable":
      return refusal("tokens-unavailable", `${refused.reason}. Nothing was changed`);
  }
}
