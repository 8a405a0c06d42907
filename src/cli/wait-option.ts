import type { Command } from "commander";
import { DURATION_EXPECTED, parseDuration } from "../config/duration.ts";
import { LONGEST_WAIT } from "../fleet/convergence.ts";
import { type AdminClient, appPath } from "./admin-client.ts";
import { CliFailure } from "./cli-failure.ts";

export interface WaitOption {
  /** Ms. */
  readonly wait?: number;
}

/** Adds `--wait`: the command ends when every live gateway has the change in force. */
export function withWait(command: Command): Command {
  return command.option(
    "--wait <duration>",
    "until every gateway has it in force, at most this long (10s); exit code 1 if one is late",
    readWait,
  );
}

/** Resolves when it is in force everywhere, or at once if that was not asked for; a late gateway is a `CliFailure`. */
export async function awaitEverywhere(
  client: AdminClient,
  { name, revision }: { readonly name: string; readonly revision: number },
  { wait }: WaitOption,
): Promise<void> {
  if (wait === undefined) return;
  await client.request(appPath(name, `/convergence?revision=${revision}&wait=${wait}ms`), { waits: wait });
}

/** Before anything is changed: one that cannot be waited for must not show only afterwards. */
function readWait(text: string): number {
  const wait = parseDuration(text);
  if (wait !== undefined && wait <= LONGEST_WAIT) return wait;
  throw new CliFailure(
    `found --wait ${text}, expected ${DURATION_EXPECTED}, up to 60s; nothing was changed`,
    2,
  );
}
