import type { AppDocument } from "../../src/config/app-document.ts";
import type { GatewayRow } from "../../src/admin/schemas.ts";
import { type CliOptions, environmentOf } from "../e2e/harness/cli.ts";
import { createSite, type HalftoneProcess, type Site } from "../e2e/harness/halftone-process.ts";
import type { Scene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";

export interface GatewaySite {
  readonly name: string;
  readonly site: Site;
}

/** Folders of gateways of one directory, by name. */
export async function createGateways(
  scene: Scene,
  directory: unknown,
  names: readonly string[],
  more: { readonly apps?: readonly string[] } = {},
): Promise<readonly GatewaySite[]> {
  return await Promise.all(
    names.map(async (name) => ({ name, site: await createSite(scene, { name, directory, ...more }) })),
  );
}

export async function startGateways(
  scene: Scene,
  directory: unknown,
  names: readonly string[],
): Promise<readonly HalftoneProcess[]> {
  const gateways = await createGateways(scene, directory, names);
  return await Promise.all(gateways.map(({ site }) => site.start()));
}

/** An app of one server in each of two groups. */
export function twoGroups(name: string, port: number, servers: readonly [string, string]): AppDocument {
  return { name, port, groups: { old: { servers: [servers[0]] }, new: { servers: [servers[1]] } } };
}

/** Waits until every one of these says that it has this revision in force. */
export async function agreeOn(
  gateways: readonly HalftoneProcess[],
  app: string,
  revision: number,
): Promise<void> {
  for (const gateway of gateways) {
    await until(`revision ${revision} of ${app} at ${gateway.adminUrl}`, async () => {
      const { headers } = await gateway.api("GET", `/apps/${app}`);
      return headers.get("etag") === `"${revision}"`;
    });
  }
}

export async function fleetOf(gateway: HalftoneProcess): Promise<readonly GatewayRow[]> {
  const { status, body } = await gateway.api("GET", "/gateways");
  if (status !== 200) throw new Error(`GET /gateways: ${status} ${JSON.stringify(body)}`);
  return body as readonly GatewayRow[];
}

/** What `/readyz` says of the directory. */
export async function directoryOf(gateway: HalftoneProcess): Promise<Readonly<Record<string, unknown>>> {
  const { body } = await gateway.admin("GET", "/readyz");
  return (body as { directory: Readonly<Record<string, unknown>> }).directory;
}

export async function reaches(gateway: HalftoneProcess, state: "current" | "backup"): Promise<void> {
  await until(`the directory to be ${state}`, async () => (await directoryOf(gateway))["state"] === state);
}

/** How `runCli` finds this gateway. */
export function asked(gateway: HalftoneProcess): CliOptions {
  return { cwd: gateway.site.folder, env: environmentOf(gateway) };
}
