import type { Context } from "hono";
import { generateCookie, getCookie } from "hono/cookie";
import type { AdminEnv } from "./operation.ts";
import { SESSION_LIFE } from "./sessions.ts";

export const SESSION_COOKIE = "halftone_session";

/** The id of a session, as the browser sent it. */
export function sessionIdOf(c: Context<AdminEnv>): string | undefined {
  return getCookie(c, SESSION_COOKIE);
}

/** Set-Cookie for a session; `left`: how long the browser keeps it, in ms. */
export function sessionCookie(c: Context<AdminEnv>, id: string, left: number = SESSION_LIFE): string {
  return cookie(c, id, Math.ceil(left / 1000));
}

/** Set-Cookie that makes the browser forget it. */
export function endedCookie(c: Context<AdminEnv>): string {
  return cookie(c, "", 0);
}

function cookie(c: Context<AdminEnv>, value: string, maxAge: number): string {
  return generateCookie(SESSION_COOKIE, value, {
    path: "/",
    httpOnly: true,
    sameSite: "Strict",
    secure: cameByHttps(c),
    maxAge,
  });
}

/**
 * This listener speaks plain HTTP; TLS ends in front of it. The word of anybody is taken for that: who lies gets a cookie
 * that his own browser does not send.
 */
function cameByHttps(c: Context<AdminEnv>): boolean {
  return /^https\b/i.test(c.req.header("x-forwarded-proto") ?? "");
}
