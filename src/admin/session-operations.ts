import type { Context, MiddlewareHandler } from "hono";
import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { addressOf, foreignPage, originOfRequest } from "./authentication.ts";
import type { AdminEnv, Operation } from "./operation.ts";
import { JSON_TYPES, readChecked } from "./read-body.ts";
import { loginRequest, sessionAnswer, type SessionState } from "./schemas.ts";
import { endedCookie, sessionCookie, sessionIdOf } from "./session-cookie.ts";
import type { KnownToken } from "./token-book.ts";

/** Logging in and out, and who one is. */
export function sessionOperations(deps: AdminDeps): readonly Operation[] {
  const path = "/api/v1/session";
  const { sessions } = deps.access;
  return [
    {
      id: "logIn",
      method: "post",
      path,
      role: "anyone",
      summary: "Begins a session of this token, for browsers: the answer sets the cookie halftone_session",
      body: { schema: loginRequest, types: JSON_TYPES },
      answers: { 200: { description: "Logged in", schema: sessionAnswer, headers: ["Set-Cookie"] } },
      refusals: [400, 401, 403, 413, 415, 422, 429],
      async handle(c) {
        const origin = originOfRequest(c);
        if (origin.kind === "foreign") return foreignPage(c, origin);
        const body = await readChecked(c, loginRequest);
        if (!body.ok) return body.answer;
        const begun = logIn(c, deps, body.value.token);
        if (begun instanceof Response) return begun;
        return c.json(stateOf(deps, begun.token, begun.expires), 200, { "Set-Cookie": begun.cookie });
      },
    },
    {
      id: "getSession",
      method: "get",
      path,
      role: "viewer",
      summary: "Who one is, and until when",
      answers: { 200: { description: "Of the session, or of the bearer token", schema: sessionAnswer } },
      handle: (c) => c.json(stateOf(deps, c.var.identity, c.var.identity.expires)),
    },
    {
      id: "logOut",
      method: "delete",
      path,
      role: "viewer",
      summary: "Ends the session",
      answers: { 204: { description: "It is over", headers: ["Set-Cookie"] } },
      refusals: [404],
      handle(c) {
        const { session } = c.var.identity;
        if (session === undefined) {
          return refusal("no-session", "found a bearer token, expected a session; the token stays good");
        }
        sessions.end(session.id);
        return c.body(null, 204, { "Set-Cookie": endedCookie(c) });
      },
    },
  ];
}

/** `GET /?token=T`, the link of the log: logs in, and leads to the same page without the token in its address. */
export function loginLink(deps: AdminDeps): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const token = c.req.query("token");
    if (token === undefined || c.req.method !== "GET") return await next();
    const begun = logIn(c, deps, token);
    if (begun instanceof Response) return begun;
    return c.body(null, 303, { Location: "/", "Set-Cookie": begun.cookie });
  };
}

interface Begun {
  readonly token: KnownToken;
  readonly expires: number;
  readonly cookie: string;
}

function logIn(c: Context<AdminEnv>, deps: AdminDeps, text: string): Begun | Response {
  const { access, audit, now } = deps;
  const admission = access.admit(text, addressOf(c));
  if (admission.kind === "refused") return admission.answer;
  const { token } = admission;
  const previous = sessionIdOf(c);
  if (previous !== undefined) access.sessions.end(previous);
  const { id, expires } = access.sessions.begin(token);
  const at = new Date(now()).toISOString();
  void audit
    .record({ at, by: token.name, what: "log in", app: "", from: null, to: null })
    .catch(() => undefined);
  return { token, expires, cookie: sessionCookie(c, id, expires - now()) };
}

function stateOf(
  { more = [] }: AdminDeps,
  { name, role }: Pick<KnownToken, "name" | "role">,
  expires: number | null,
): SessionState {
  return {
    name,
    role,
    expires: expires === null ? null : new Date(expires).toISOString(),
    ...(more.length > 0 && { more: more.map(({ id }) => id) }),
  };
}
