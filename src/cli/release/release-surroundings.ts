import type { FreezeJson, ReleaseJson } from "../../admin/release-schemas.ts";
import type { GroupRow, ServerRow } from "../../admin/schemas.ts";
import type { VerdictJson } from "../../admin/verdict-schemas.ts";
import { appPath, type AdminClient } from "../admin-client.ts";
import type { GroupTraffic } from "./draw-release.ts";

/** What a picture shows besides the release. */
export interface Surroundings {
  readonly servers: readonly ServerRow[];
  readonly groups: readonly GroupTraffic[];
  /** While versions are compared. */
  readonly verdict?: VerdictJson;
}

/** Reads servers and traffic; failures a second are told from the second time on. */
export class SurroundingsReader {
  private readonly client: AdminClient;
  private before: { readonly at: number; readonly failures: ReadonlyMap<string, number> } | undefined;

  constructor(client: AdminClient) {
    this.client = client;
  }

  async read({ app, phase, step }: ReleaseJson): Promise<Surroundings> {
    // None is worth a picture that fails: without them it shows the release alone.
    const servers = await this.client.request(appPath(app, "/servers"), { accept: [404, 503] });
    const groups = await this.client.request(appPath(app, "/groups"), { accept: [404, 503] });
    const verdict = await this.verdict(app, phase);
    return {
      ...(verdict?.step === step && { verdict }),
      servers: servers.status === 200 ? (servers.body as readonly ServerRow[]) : [],
      groups: groups.status === 200 ? this.traffic(groups.body as readonly GroupRow[]) : [],
    };
  }

  /** Asked for only where clients are on both versions. */
  private async verdict(app: string, phase: ReleaseJson["phase"]): Promise<VerdictJson | undefined> {
    if (phase !== "shifting" && phase !== "merging") return undefined;
    const { status, body } = await this.client.request(appPath(app, "/verdict"), { accept: [404, 503] });
    return status === 200 ? (body as VerdictJson) : undefined;
  }

  private traffic(rows: readonly GroupRow[]): readonly GroupTraffic[] {
    const { before } = this;
    const at = performance.now();
    this.before = { at, failures: new Map(rows.map(({ group, failures }) => [group, failures])) };
    return rows.map(({ group, perSecond, failures }) => {
      const known = before?.failures.get(group);
      if (before === undefined || known === undefined) return { group, perSecond, failuresPerSecond: null };
      // A gateway that left takes its failures with it: that is none less than none.
      const rate = Math.max(0, failures - known) / Math.max(0.001, (at - before.at) / 1000);
      return { group, perSecond, failuresPerSecond: Math.round(rate * 10) / 10 };
    });
  }
}

export async function freezeOf(client: AdminClient, app: string): Promise<FreezeJson | undefined> {
  const { status, body } = await client.request(appPath(app, "/freeze"), { accept: [404] });
  return status === 200 ? (body as FreezeJson) : undefined;
}
