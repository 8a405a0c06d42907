import { setTimeout as delay } from "node:timers/promises";
import type { PastReleaseJson, ReleaseJson } from "../../admin/release-schemas.ts";
import { parseDuration } from "../../config/duration.ts";
import { appPath, type AdminClient } from "../admin-client.ts";
import { CliFailure, Unreachable } from "../cli-failure.ts";

/** How long a gateway may be away: as long as another one takes to take over, and more. */
const PATIENCE = 60_000;
const SHORTEST_PAUSE = 10;
/** What a gateway, or a proxy before it, answers while it cannot say. */
const AWAY = [502, 503, 504];

/** One look at a release: what it is like, or why nobody could say. */
export type Look =
  | { readonly kind: "seen"; readonly view: ReleaseJson }
  | { readonly kind: "away"; readonly reason: string };

export interface LooksOptions {
  /** Pause between two looks, in ms. */
  readonly every: number;
  readonly signal?: AbortSignal;
  /** Goes on for ever though nobody answers. */
  readonly patient?: boolean;
}

/** Looks again and again, until the caller has seen enough. */
export async function* looksAt(
  client: AdminClient,
  name: string,
  { every, signal, patient = false }: LooksOptions,
): AsyncGenerator<Look, void> {
  let awaySince: number | undefined;
  while (signal?.aborted !== true) {
    const look = await lookAt(client, name);
    yield look;
    if (look.kind === "seen") awaySince = undefined;
    else {
      awaySince ??= performance.now();
      if (!patient && performance.now() - awaySince > PATIENCE) throw new CliFailure(look.reason);
    }
    // An abort ends the pause, and then the loop.
    await delay(every, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

async function lookAt(client: AdminClient, name: string): Promise<Look> {
  try {
    const { status, body } = await client.request(appPath(name, "/release"), { accept: AWAY });
    if (AWAY.includes(status)) return { kind: "away", reason: `the gateway answers ${status}` };
    return { kind: "seen", view: body as ReleaseJson };
  } catch (error) {
    if (error instanceof Unreachable) return { kind: "away", reason: error.message };
    throw error;
  }
}

/** What became of a release that is not the app's last one any more. */
export async function pastRelease(
  client: AdminClient,
  name: string,
  id: string,
): Promise<PastReleaseJson | undefined> {
  const past = await client.get<readonly PastReleaseJson[]>(appPath(name, "/releases"));
  return past.find((one) => one.id === id);
}

/** `--every`: a pause, so that nobody looks without one. */
export function pauseOf(every: string | undefined): number {
  const pause = parseDuration(every ?? "1s");
  if (pause !== undefined && pause >= SHORTEST_PAUSE) return pause;
  throw new CliFailure(`found --every ${every}, expected a duration from ${SHORTEST_PAUSE}ms, like 1s`, 2);
}
