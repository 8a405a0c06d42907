import { Hono, type MiddlewareHandler } from "hono";
import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { appOperations } from "./app-operations.ts";
import { authentication } from "./authentication.ts";
import { authorized } from "./authorization.ts";
import { mountAssets } from "./dashboard.ts";
import { eventOperations } from "./events/event-operations.ts";
import { directoryOperations } from "./directory-operations.ts";
import { fleetOperations } from "./fleet-operations.ts";
import { openApiDocument } from "./open-api.ts";
import { mount, type AdminEnv, type Operation } from "./operation.ts";
import { releaseOperations } from "./release-operations.ts";
import { openApiAnswer } from "./schemas.ts";
import { serviceOperations } from "./service-operations.ts";
import { loginLink, sessionOperations } from "./session-operations.ts";
import { tokenOperations } from "./token-operations.ts";
import { trafficOperations } from "./traffic-operations.ts";
import { verdictOperations } from "./verdict-operations.ts";

/**
 * The admin API: JSON under /api/v1 behind a bearer token or a session, and a few open routes for load balancers. Every
 * refusal is a problem document.
 */
export function createAdminApi(deps: AdminDeps): Hono<AdminEnv> {
  const operations: Operation[] = [
    ...appOperations(deps),
    ...trafficOperations(deps),
    ...fleetOperations(deps),
    ...directoryOperations(deps),
    ...eventOperations(deps),
    ...(deps.releases === undefined ? [] : releaseOperations(deps, deps.releases)),
    ...(deps.releases === undefined ? [] : verdictOperations(deps, deps.releases)),
    ...sessionOperations(deps),
    ...tokenOperations(deps),
    ...serviceOperations(deps),
    ...(deps.more ?? []),
  ];
  operations.push(openApiOperation(operations, deps.version));

  const api = new Hono<AdminEnv>();
  api.use(securityHeaders);
  api.use(authentication(deps.access, operations));
  api.use("/", loginLink(deps));
  mount(
    api,
    operations.map((operation) => authorized(deps, operation)),
  );
  mountAssets(api, deps.dashboard);
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
    role: "anyone",
    summary: "This description. No token needed",
    answers: { 200: { description: "OpenAPI 3.1", schema: openApiAnswer } },
    handle: (c) => c.json(openApiDocument(operations, version)),
  };
}

const securityHeaders: MiddlewareHandler<AdminEnv> = async (c, next) => {
  await next();
  c.res.headers.set("X-Content-Type-Options", "nosniff");
  c.res.headers.set("Referrer-Policy", "no-referrer");
  const { headers } = c.res;
  // The dashboard says both by itself.
  if (headers.has("Content-Security-Policy")) return;
  headers.set("Cache-Control", "no-store");
  // Answers are data; a browser that is shown one must neither run nor frame it.
  headers.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
};
