import { canonicalAddress } from "../config/address-set.ts";
import { compileApp } from "../config/compile-app.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { nameOf, noSuchApp } from "./app-operations.ts";
import { explain } from "./explain.ts";
import type { Operation } from "./operation.ts";
import { JSON_TYPES, readChecked } from "./read-body.ts";
import { explainRequest, explanation, serverRows } from "./schemas.ts";
import { serverRowsOf } from "./server-row.ts";

/** Where requests go, and how the servers are. */
export function trafficOperations(deps: AdminDeps): readonly Operation[] {
  const { store, gateway } = deps;
  return [
    {
      id: "explain",
      method: "post",
      path: "/api/v1/apps/{name}/explain",
      role: "viewer",
      summary: "Which groups would serve this client, and the rule that decides; asks, changes nothing",
      body: { schema: explainRequest, types: JSON_TYPES },
      answers: { 200: { description: "The decision", schema: explanation } },
      refusals: [400, 404, 413, 415, 422],
      async handle(c) {
        const app = store.get(nameOf(c));
        if (app === undefined) return noSuchApp(deps, nameOf(c));
        const body = await readChecked(c, explainRequest);
        if (!body.ok) return body.answer;
        const ip = canonicalAddress(body.value.ip) ?? body.value.ip;
        return c.json(explain(compileApp(app.document, app.revision), { ...body.value, ip }));
      },
    },
    {
      id: "listServers",
      method: "get",
      path: "/api/v1/apps/{name}/servers",
      role: "viewer",
      summary: "Each server of the app: its load, its failures, and whether it is in service",
      answers: { 200: { description: "Summed over all workers", schema: serverRows } },
      refusals: [404],
      async handle(c) {
        const app = store.get(nameOf(c));
        if (app === undefined) return noSuchApp(deps, nameOf(c));
        return c.json(serverRowsOf(app.document.quarantine, await gateway.servers(app.name)));
      },
    },
  ];
}
