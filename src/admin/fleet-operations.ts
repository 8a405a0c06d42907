import { setTimeout } from "node:timers/promises";
import type { Context } from "hono";
import type { AppDocument } from "../config/app-document.ts";
import { occupiedBy, occupiedText } from "../fleet/idleness.ts";
import { DirectoryUnavailable } from "../directory/directory.ts";
import { parseDuration } from "../config/duration.ts";
import { type Convergence, convergenceOf, LONGEST_WAIT } from "../fleet/convergence.ts";
import { groupTraffic } from "../fleet/group-traffic.ts";
import { hearOf, liveRecords } from "../fleet/traffic.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { refusal } from "./api-problem.ts";
import { listGateways } from "./list-gateways.ts";
import { nameOf, noSuchApp } from "./app-operations.ts";
import type { AdminEnv, Operation, Parameter } from "./operation.ts";
import { convergence, gatewayRows, idleness, groupRows, nameText } from "./schemas.ts";

const WAIT: Parameter = {
  in: "query",
  name: "wait",
  description: "How long to wait for it, like 10s; at most 60s, default 0s",
  schema: nameText,
};
const POLL = 50;

/** The gateways of the directory: who there is, what each has in force, what all of them do together. */
export function fleetOperations(deps: AdminDeps): readonly Operation[] {
  return [
    {
      id: "listGateways",
      method: "get",
      path: "/api/v1/gateways",
      role: "viewer",
      summary: "Every gateway of the directory: its version, what it has in force, what is in flight there",
      answers: { 200: { description: "Ordered by name", schema: gatewayRows } },
      refusals: [503],
      handle: (c) => orUnavailable(async () => c.json(await listGateways(deps))),
    },
    {
      id: "getConvergence",
      method: "get",
      path: "/api/v1/apps/{name}/convergence",
      role: "viewer",
      summary:
        "Does every live gateway have this revision of the app in force, in every process that carries traffic?",
      parameters: [
        { in: "query", name: "revision", description: "Default: the one in force here", schema: nameText },
        WAIT,
      ],
      answers: { 200: { description: "It does", schema: convergence } },
      refusals: [400, 404, 409, 503],
      async handle(c) {
        const name = nameOf(c);
        const app = deps.store.get(name);
        const asked = c.req.query("revision") ?? String(app?.revision ?? "");
        if (asked === "") return noSuchApp(deps, name);
        const revision = Number(asked);
        if (!Number.isSafeInteger(revision) || revision < 0) {
          return refusal("bad-request", `found revision ${asked}, expected a whole number`);
        }
        const wait = waitOf(c);
        if (wait instanceof Response) return wait;
        return await orUnavailable(async () => {
          const found = await awaitConvergence(deps, name, revision, wait);
          if (found.converged) return c.json({ app: name, asked: revision, ...found });
          return refusal("not-converged", lateText(name, revision, found));
        });
      },
    },
    {
      id: "getIdle",
      method: "get",
      path: "/api/v1/apps/{name}/groups/{group}/idle",
      role: "viewer",
      summary:
        "Is it safe to restart these servers? No live gateway sends anything there, and nothing is in flight",
      parameters: [WAIT],
      answers: { 200: { description: "It is", schema: idleness } },
      refusals: [400, 404, 409, 503],
      async handle(c) {
        const group = c.req.param("group") ?? "";
        const app = deps.store.get(nameOf(c));
        if (app === undefined) return noSuchApp(deps, nameOf(c));
        const groups = Object.keys(app.document.groups);
        if (!groups.includes(group)) {
          return refusal(
            "not-found",
            `found no group ${JSON.stringify(group)}, expected ${groups.join(" or ")}`,
          );
        }
        const wait = waitOf(c);
        if (wait instanceof Response) return wait;
        return await orUnavailable(() => awaitIdle(deps, app.name, group, wait));
      },
    },
    {
      id: "listGroups",
      method: "get",
      path: "/api/v1/apps/{name}/groups",
      role: "viewer",
      summary: "What the app's groups have done and do, all live gateways together",
      answers: { 200: { description: "In the order of the document", schema: groupRows } },
      refusals: [404, 503],
      async handle(c) {
        const app = deps.store.get(nameOf(c));
        if (app === undefined) return noSuchApp(deps, nameOf(c));
        return await orUnavailable(async () => {
          const records = await liveRecords(deps.fleet.roster, app.name);
          return c.json(groupTraffic(Object.keys(app.document.groups), records));
        });
      },
    },
  ];
}

function waitOf(c: Context<AdminEnv>): number | Response {
  const written = c.req.query("wait") ?? "0s";
  const wait = parseDuration(written);
  if (wait !== undefined && wait <= LONGEST_WAIT) return wait;
  return refusal("bad-request", `found wait ${written}, expected a duration up to 60s`);
}

async function awaitIdle(deps: AdminDeps, name: string, group: string, wait: number): Promise<Response> {
  const until = performance.now() + wait;
  for (;;) {
    const app = deps.store.get(name);
    if (app === undefined) return noSuchApp(deps, name);
    const taken = takenBy(app.document, group);
    if (taken !== undefined) return refusal("not-idle", `${group} of app ${name} takes ${taken}`);
    const { sightings, records } = await hearOf(deps.fleet.roster, name);
    const occupied = occupiedBy(group, app.revision, sightings, records);
    if (occupied?.length === 0)
      return Response.json({ app: name, group, idle: true, revision: app.revision });
    if (performance.now() >= until) {
      const who = occupied === undefined ? "no gateway has told of itself" : occupiedText(occupied);
      return refusal("not-idle", `${group} of app ${name} is not idle at revision ${app.revision}: ${who}`);
    }
    await setTimeout(POLL);
  }
}

/** Whom the document sends to the group; undefined: nobody. */
function takenBy(
  { groups, deploy = 0, share = 0, testing = true, testers = [], standby = [] }: AppDocument,
  group: string,
): string | undefined {
  if (standby.includes(group)) return undefined;
  if (Object.keys(groups)[deploy - 1] !== group)
    return "clients: it is not under test (halftone deploy, or a release, takes it out)";
  if (!testing) return undefined;
  if (share > 0) return `${share} % of the clients`;
  return testers.length > 0 ? "testers (halftone deploy NAME K --closed keeps them away too)" : undefined;
}

async function awaitConvergence(
  deps: AdminDeps,
  app: string,
  revision: number,
  wait: number,
): Promise<Convergence> {
  const until = performance.now() + wait;
  for (;;) {
    const { sightings, records } = await hearOf(deps.fleet.roster, app);
    const found = convergenceOf(revision, deps.store.get(app)?.revision ?? null, sightings, records);
    if (found.converged || performance.now() >= until) return found;
    await setTimeout(POLL);
  }
}

function lateText(app: string, revision: number, { gateways }: Convergence): string {
  const late = gateways.filter(({ live, reached }) => live && !reached);
  if (late.length === 0) return "no gateway has told of itself; what is in force stays";
  const names = late.map((one) => `${one.name} (has ${one.revision ?? "no such app"})`).join(", ");
  return `revision ${revision} of app ${app} is not in force yet at: ${names}`;
}

async function orUnavailable(task: () => Promise<Response>): Promise<Response> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof DirectoryUnavailable)) throw error;
    const stays = "what is in force here, and at each of them, stays";
    return refusal("directory-unavailable", `the other gateways cannot be asked: ${error.message}; ${stays}`);
  }
}
