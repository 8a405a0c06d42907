import type { FreezeJson, ReleaseJson } from "../../admin/release-schemas.ts";
import type { ServerRow } from "../../admin/schemas.ts";
import type { VerdictJson } from "../../admin/verdict-schemas.ts";
import { appPath, type AdminClient } from "../admin-client.ts";
import type { GroupTraffic } from "../../fleet/group-traffic.ts";

/** What a picture shows besides the release. */
export interface Surroundings {
  readonly servers: readonly ServerRow[];
  readonly groups: readonly GroupTraffic[];
  /** While versions are compared. */
  readonly verdict?: VerdictJson;
}

/** None of it is worth a picture that fails: without it that shows the release alone. */
export async function readSurroundings(
  client: AdminClient,
  { app, phase, step }: ReleaseJson,
): Promise<Surroundings> {
  const servers = await client.request(appPath(app, "/servers"), { accept: [404, 503] });
  const groups = await client.request(appPath(app, "/groups"), { accept: [404, 503] });
  const verdict = await verdictOf(client, app, phase);
  return {
    ...(verdict?.step === step && { verdict }),
    servers: servers.status === 200 ? (servers.body as readonly ServerRow[]) : [],
    groups: groups.status === 200 ? (groups.body as readonly GroupTraffic[]) : [],
  };
}

/** Asked for only where clients are on both versions. */
async function verdictOf(
  client: AdminClient,
  app: string,
  phase: ReleaseJson["phase"],
): Promise<VerdictJson | undefined> {
  if (phase !== "shifting" && phase !== "merging") return undefined;
  const { status, body } = await client.request(appPath(app, "/verdict"), { accept: [404, 503] });
  return status === 200 ? (body as VerdictJson) : undefined;
}

export async function freezeOf(client: AdminClient, app: string): Promise<FreezeJson | undefined> {
  const { status, body } = await client.request(appPath(app, "/freeze"), { accept: [404] });
  return status === 200 ? (body as FreezeJson) : undefined;
}
