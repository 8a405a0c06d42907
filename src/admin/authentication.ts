import type { Context, MiddlewareHandler } from "hono";
import { unauthorized, type Access } from "./access.ts";
import { actor } from "./actor.ts";
import { refusal } from "./api-problem.ts";
import type { AdminEnv, Identity, Operation } from "./operation.ts";
import { originOf, type RequestOrigin } from "./request-origin.ts";
import { sessionCookie, sessionIdOf } from "./session-cookie.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Finds out who asks, by bearer token or session. Whatever lies under /api/v1 is refused without either, so that an
 * outsider cannot tell what exists there.
 */
export function authentication(
  access: Access,
  operations: readonly Operation[],
): MiddlewareHandler<AdminEnv> {
  const open = new Set(
    operations
      .filter(({ role }) => role === "anyone")
      .map(({ method, path }) => `${method.toUpperCase()} ${path}`),
  );
  return async (c, next) => {
    const { path, method } = c.req;
    if (!path.startsWith("/api/v1/") || open.has(`${method} ${path}`)) return await next();
    const identity = identify(c, access);
    if (identity instanceof Response) return identity;
    c.set("identity", identity);
    c.set("by", actor(identity.name, c.req.header("x-halftone-actor")));
    await next();
    const { session } = identity;
    if (session?.renew === true && access.sessions.use(session.id) !== undefined) {
      c.res.headers.append("Set-Cookie", sessionCookie(c, session.id));
    }
    return undefined;
  };
}

/** The peer's address; undefined on a unix socket. */
export function addressOf(c: Context<AdminEnv>): string | undefined {
  return c.env.incoming.socket.remoteAddress;
}

export function originOfRequest(c: Context<AdminEnv>): RequestOrigin {
  return originOf({
    host: c.req.header("host"),
    origin: c.req.header("origin"),
    secFetchSite: c.req.header("sec-fetch-site"),
  });
}

/** 403 for a request that some other page has the browser send. */
export function foreignPage(c: Context<AdminEnv>, origin: Exclude<RequestOrigin, { kind: "own" }>): Response {
  const found = origin.kind === "foreign" ? origin.found : "neither Origin nor Sec-Fetch-Site";
  return refusal(
    "cross-origin",
    `found ${found}, expected the origin of ${c.req.header("host") ?? "this address"}, as a browser sends it from a page ` +
      "of this address; nothing was changed. Programs use a bearer token; a proxy in front has to hand on Host",
  );
}

/** The session of the request's cookie, if it is open. */
export function sessionOf(c: Context<AdminEnv>, access: Access): Identity | undefined {
  const id = sessionIdOf(c);
  const session = id === undefined ? undefined : access.sessions.use(id);
  if (id === undefined || session === undefined) return undefined;
  const { token, expires, renew } = session;
  const isCurrent = (): boolean => access.sessions.isOpen(id);
  return { name: token.name, role: token.role, expires, isCurrent, session: { id, renew } };
}

function identify(c: Context<AdminEnv>, access: Access): Identity | Response {
  const bearer = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  if (bearer !== undefined) {
    const admission = access.admit(bearer, addressOf(c));
    if (admission.kind === "refused") return admission.answer;
    const { name, role, expires, digest } = admission.token;
    return { name, role, expires, isCurrent: () => access.tokens.current(digest) !== undefined };
  }
  const identity = sessionOf(c, access);
  if (identity === undefined) {
    // Not counted as an attempt: nobody guesses an id, and after a restart every open page comes with an old one.
    const isOver = sessionIdOf(c) !== undefined;
    return unauthorized(isOver ? "a session that is over, and no bearer token" : "no bearer token");
  }
  const origin = originOfRequest(c);
  if (!SAFE_METHODS.has(c.req.method) && origin.kind !== "own") return foreignPage(c, origin);
  return identity;
}
