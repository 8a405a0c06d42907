import type { Context, Hono } from "hono";
import type { z } from "zod";
import { refusal } from "./api-problem.ts";
import type { Connection } from "./connection.ts";
import type { Role } from "./role.ts";

/** Who asks: a token, or a session of one. */
export interface Identity {
  /** The token's. */
  readonly name: string;
  readonly role: Role;
  /** Milliseconds since the epoch; null: never. */
  readonly expires: number | null;
  /** Whether the token or session still stands, for answers that last. */
  readonly isCurrent: () => boolean;
  /** Absent: it came as a bearer token. `renew`: the browser's cookie is to last longer. */
  readonly session?: { readonly id: string; readonly renew: boolean };
}

/** What the listener and the middleware tell the handlers. */
export interface AdminEnv {
  Bindings: Connection;
  Variables: {
    /** Set behind authentication only. */
    identity: Identity;
    /** Who asks, for the audit; set behind authentication only. */
    by: string;
  };
}

export type Schema = z.ZodType | { readonly jsonSchema: Readonly<Record<string, unknown>> };

export interface Answer {
  readonly description: string;
  /** Absent: no body. */
  readonly schema?: Schema;
  /** Default "application/json". */
  readonly type?: string;
  /** Of events: the data of each type. */
  readonly events?: Readonly<Record<string, Schema>>;
  /** "etag": the revision is in the ETag field. */
  readonly headers?: readonly string[];
}

export interface Parameter {
  readonly in: "query" | "header";
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
  readonly schema: z.ZodType;
}

/**
 * One route: how it is described and what it does, in one value, so that the OpenAPI document and the router are made
 * of the same list.
 */
export interface Operation {
  /** For generated clients: "getApp". */
  readonly id: string;
  readonly method: "get" | "put" | "post" | "delete";
  /** In OpenAPI's form: "/api/v1/apps/{name}". */
  readonly path: string;
  /** The least role that may do it; "anyone" who reaches the listener needs no token. */
  readonly role: Role | "anyone";
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  /** Body, and the content types it is taken in. */
  readonly body?: { readonly schema: Schema; readonly types: readonly string[]; readonly optional?: boolean };
  /** The answers that are not problem documents, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of the problem documents that are its own; those of authentication and roles are understood. */
  readonly refusals?: readonly number[];
  readonly handle: (c: Context<AdminEnv>) => Response | Promise<Response>;
}

/** Mounts the operations; another method on one of their paths is answered 405 with the ones there are. */
export function mount(api: Hono<AdminEnv>, operations: readonly Operation[]): void {
  const methods = new Map<string, string[]>();
  for (const { method, path, handle } of operations) {
    const pattern = path.replaceAll(/\{(\w+)\}/g, ":$1");
    api.on(method.toUpperCase(), pattern, handle);
    const known = methods.get(pattern) ?? [];
    known.push(...(method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()]));
    methods.set(pattern, known);
  }
  for (const [pattern, known] of methods) {
    const allow = known.join(", ");
    api.all(pattern, (c) =>
      refusal("method-not-allowed", `found ${c.req.method}, expected ${allow}`, {
        headers: { Allow: allow },
      }),
    );
  }
}
