import type { Command } from "commander";
import { type AdminClient, appPath } from "./admin-client.ts";

export interface WaitOption {
  readonly wait?: string;
}

/** Adds `--wait`: the command ends when every live gateway has the change in force. */
export function withWait(command: Command): Command {
  return command.option(
    "--wait <duration>",
    "until every gateway has it in force, at most this long (10s); exit code 1 if one is late",
  );
}

/** Resolves when it is in force everywhere, or at once if that was not asked for; a late gateway is a `CliFailure`. */
export async function awaitEverywhere(
  client: AdminClient,
  { name, revision }: { readonly name: string; readonly revision: number },
  { wait }: WaitOption,
): Promise<void> {
  if (wait === undefined) return;
  const query = `?revision=${revision}&wait=${encodeURIComponent(wait)}`;
  await client.request(appPath(name, `/convergence${query}`), { patience: 90_000 });
}
