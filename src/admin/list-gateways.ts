import { LEASE } from "../fleet/convergence.ts";
import type { Sighting } from "../fleet/roster.ts";
import type { AdminDeps } from "./admin-deps.ts";
import type { GatewayRow } from "./schemas.ts";

/** Apps that are named of a gateway that lags; the others are counted. */
const MOST_NAMED = 10;

export type FleetDeps = Pick<AdminDeps, "store" | "fleet" | "now">;

/** Every gateway of the directory, ordered by name. Throws `DirectoryUnavailable`. */
export async function listGateways(deps: FleetDeps): Promise<readonly GatewayRow[]> {
  const sightings = await deps.fleet.roster.sightings();
  return await Promise.all(sightings.map((sighting) => gatewayRow(deps, sighting)));
}

async function gatewayRow(deps: FleetDeps, { report, ago }: Sighting): Promise<GatewayRow> {
  const { name, id, version, startedAt, listen, admin, ready, directory, apps, digest, inFlight } = report;
  const late = digest === deps.fleet.digest() ? [] : await lateApps(deps, id);
  return {
    name,
    self: id === deps.fleet.id,
    live: ago <= LEASE,
    seen: new Date(deps.now() - ago).toISOString(),
    version,
    startedAt,
    listen,
    admin,
    ready,
    directory,
    apps,
    inFlight,
    lag: late.length,
    late: late.slice(0, MOST_NAMED),
  };
}

/** Apps of which that gateway has another revision in force than this one. */
async function lateApps(deps: FleetDeps, id: string): Promise<GatewayRow["late"]> {
  const records = await deps.fleet.roster.allRecords(id);
  const late: { app: string; revision: number | null; here: number | null }[] = [];
  const here = new Set<string>();
  for (const { name, revision } of deps.store.list()) {
    here.add(name);
    const there = records.get(name)?.revision ?? null;
    if (there !== revision) late.push({ app: name, revision: there, here: revision });
  }
  for (const [app, { revision }] of records) if (!here.has(app)) late.push({ app, revision, here: null });
  return late;
}
