import { Hono, type MiddlewareHandler } from "hono";
import { actor } from "./actor.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { appOperations } from "./app-operations.ts";
import { eventOperations } from "./events/event-operations.ts";
import { directoryOperations } from "./directory-operations.ts";
import { fleetOperations } from "./fleet-operations.ts";
import { needsToken, openApiDocument } from "./open-api.ts";
import { mount, type AdminEnv, type Operation } from "./operation.ts";
import { releaseOperations } from "./release-operations.ts";
import { openApiAnswer } from "./schemas.ts";
import { serviceOperations } from "./service-operations.ts";
import type { TokenSet } from "./token-set.ts";
import { trafficOperations } from "./traffic-operations.ts";

/**
 * The admin API: JSON under /api/v1 behind a bearer token, and a few open routes for load balancers. Every refusal is
 * a problem document.
 */
export function createAdminApi(deps: AdminDeps): Hono<AdminEnv> {
  const operations: Operation[] = [
    ...appOperations(deps),
    ...trafficOperations(deps),
    ...fleetOperations(deps),
    ...directoryOperations(deps),
    ...eventOperations(deps),
    ...(deps.releases === undefined ? [] : releaseOperations(deps, deps.releases)),
    ...serviceOperations(deps),
  ];
  operations.push(openApiOperation(operations, deps.version));

  const api = new Hono<AdminEnv>();
  api.use(securityHeaders);
  api.use(authentication(deps.tokens));
  mount(api, operations);
  api.notFound((c) => refusal("not-found", `found ${c.req.path}, expected a path of /openapi.json`));
  api.onError(() =>
    refusal("internal", "the request could not be carried out; whether it took effect is not known"),
  );
  return api;
}

function openApiOperation(operations: readonly Operation[], version: string): Operation {
  return {
    id: "openApi",
    method: "get",
    path: "/openapi.json",
    summary: "This description. No token needed",
    answers: { 200: { description: "OpenAPI 3.1", schema: openApiAnswer } },
    handle: (c) => c.json(openApiDocument(operations, version)),
  };
}

const securityHeaders: MiddlewareHandler<AdminEnv> = async (c, next) => {
  await next();
  c.res.headers.set("Cache-Control", "no-store");
  c.res.headers.set("X-Content-Type-Options", "nosniff");
  c.res.headers.set("Referrer-Policy", "no-referrer");
  // Answers are data; a browser that is shown one must neither run nor frame it.
  c.res.headers.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
};

/** Whatever lies under /api/v1 is refused without a token, so that an outsider cannot tell what exists there. */
function authentication(tokens: TokenSet): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    if (needsToken(c.req.path)) {
      const token = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
      const name = token === undefined ? undefined : tokens.authenticate(token);
      if (name === undefined) {
        const found = token === undefined ? "no bearer token" : "a token that is not known";
        return refusal("unauthorized", `found ${found}, expected Authorization: Bearer and the admin token`, {
          headers: { "WWW-Authenticate": token === undefined ? "Bearer" : 'Bearer error="invalid_token"' },
        });
      }
      c.set("by", actor(name, c.req.header("x-halftone-actor")));
    }
    await next();
    return undefined;
  };
}
