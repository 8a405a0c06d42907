import type { Context } from "hono";
import { z } from "zod";
import type { AppChoice } from "../telemetry/metrics.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { sessionOf } from "./authentication.ts";
import { pageAnswer } from "./dashboard.ts";
import type { AdminEnv, Identity, Operation } from "./operation.ts";
import { auditEntries, auditLimit, health, nameText, readinessAnswer } from "./schemas.ts";

const AUDIT_LIMIT = 100;

/** About Halftone itself: the audit, and what load balancers and supervisors ask. */
export function serviceOperations(deps: AdminDeps): readonly Operation[] {
  return [
    {
      id: "listAudit",
      method: "get",
      path: "/api/v1/audit",
      role: "viewer",
      summary: "Who changed what, when, from which revision to which; newest first",
      parameters: [
        { in: "query", name: "app", description: "Only of this app", schema: nameText },
        {
          in: "query",
          name: "limit",
          description: `At most this many, default ${AUDIT_LIMIT}`,
          schema: auditLimit,
        },
      ],
      answers: { 200: { description: "Newest first", schema: auditEntries } },
      refusals: [400],
      async handle(c) {
        const limit = auditLimit.safeParse(c.req.query("limit") ?? AUDIT_LIMIT);
        if (!limit.success) {
          return refusal(
            "bad-request",
            `found limit ${c.req.query("limit")}, expected ${limit.error.issues[0]?.message}`,
          );
        }
        return c.json(await deps.audit.newest({ app: c.req.query("app"), limit: limit.data }));
      },
    },
    {
      id: "index",
      method: "get",
      path: "/",
      role: "anyone",
      summary: "The dashboard; where it was not built, what this address is, in plain text. No token needed",
      parameters: [
        {
          in: "query",
          name: "token",
          description: "Logs in as POST /api/v1/session does, and leads to the same address without it",
          schema: nameText,
        },
      ],
      answers: {
        200: { description: "A page, or plain text" },
        303: { description: "Logged in", headers: ["Location", "Set-Cookie"] },
      },
      refusals: [401, 429],
      handle: (c) =>
        deps.dashboard !== undefined
          ? pageAnswer(c, deps.dashboard)
          : c.text(
              `Halftone ${deps.version}, admin API.\n${whoText(sessionOf(c, deps.access))}\n` +
                "The dashboard is not built here: npm run build does that.\n\n" +
                "/api/v1/apps   the apps (bearer token, or logged in)\n" +
                "/openapi.json  every route\n" +
                "/healthz /readyz\n\n" +
                "The same from a shell: halftone status\n",
            ),
    },
    {
      id: "healthz",
      method: "get",
      path: "/healthz",
      role: "anyone",
      summary: "Is the process alive? No token needed",
      answers: { 200: { description: "It is", schema: health } },
      handle: (c) => c.json({ status: "ok" }),
    },
    {
      id: "metrics",
      method: "get",
      path: "/metrics",
      role: "anyone",
      summary: "For Prometheus. No token needed",
      parameters: [
        {
          in: "query",
          name: "apps",
          description:
            "busy: those that had traffic, have a server that is out, or a release that runs; default busy",
          schema: appChoice,
        },
        { in: "query", name: "app", description: "Only this app; may be repeated", schema: nameText },
      ],
      answers: { 200: { description: "Prometheus text format" } },
      refusals: [400],
      handle(c) {
        const choice = choiceOf(c);
        if (choice instanceof Response) return choice;
        const text = ReadableStream.from(deps.metrics.scrape(choice)).pipeThrough(new TextEncoderStream());
        return new Response(text, { headers: { "Content-Type": deps.metrics.contentType } });
      },
    },
    {
      id: "readyz",
      method: "get",
      path: "/readyz",
      role: "anyone",
      summary: "May traffic be sent here? No token needed",
      answers: {
        200: {
          description: "Ready; also on the backup, with the directory out of reach",
          schema: readinessAnswer,
        },
        503: { description: "Not ready, or draining", schema: readinessAnswer },
      },
      handle(c) {
        const { ready, draining, workers, listen } = deps.gateway.readiness();
        const status = draining ? "draining" : ready ? "ready" : "not ready";
        const answer = {
          status,
          directory: deps.store.status(),
          workers,
          listen,
          audit: deps.audit.failure ?? "current",
          tokens: deps.access.tokens.damage ?? "current",
        };
        return c.json(answer, status === "ready" ? 200 : 503);
      },
    },
  ];
}

function whoText(identity: Identity | undefined): string {
  if (identity === undefined) return "You are not logged in: /?token=TOKEN does that.";
  return `You are logged in as ${identity.name} (${identity.role}).`;
}

const appChoice = z.enum(["busy", "all", "none"]);

function choiceOf(c: Context<AdminEnv>): AppChoice | Response {
  const names = c.req.queries("app");
  if (names !== undefined) return new Set(names);
  const written = c.req.query("apps") ?? "busy";
  const choice = appChoice.safeParse(written);
  if (choice.success) return choice.data;
  return refusal("bad-request", `found apps ${written}, expected busy, all or none`);
}
