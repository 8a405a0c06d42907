import { run } from "./run.ts";
import type { Front, Protocol } from "./front.ts";

/** One run of curl. */
export interface Transfer {
  readonly code: number | null;
  /** Bodies received, one after the other. */
  readonly body: string;
  /** Head lines received, interim answers included. */
  readonly received: readonly string[];
  readonly status: number;
  /** "1", "1.1" or "2". */
  readonly version: string;
  readonly uploaded: number;
  /** Connections opened. */
  readonly connects: number;
  readonly stderr: string;
}

/** On stderr, apart from the body. One line for each transfer: the last one counts, connects add up. */
const FACTS = "%{stderr}facts %{http_code} %{http_version} %{size_upload} %{num_connects}\n";

export async function curl(
  front: Front,
  protocol: Protocol,
  path: string,
  args: readonly string[] = [],
  stdin: string = "",
): Promise<Transfer> {
  const all = [...protocolArguments(front, protocol), ...args, front.origin(protocol) + path];
  const { code, stdout, stderr } = await run("curl", ["-q", "-sS", "-v", "-w", FACTS, ...all], stdin);
  const facts = [...stderr.matchAll(/^facts (\d+) (\S+) (\d+) (\d+)$/gm)];
  const [, status, version = "", uploaded] = facts.at(-1) ?? [];
  const received = stderr.split("\n").filter((line) => line.startsWith("< "));
  return {
    code,
    body: stdout,
    received: received.map((line) => line.slice(2).trimEnd()).filter((line) => line !== ""),
    status: Number(status),
    version,
    uploaded: Number(uploaded),
    connects: facts.reduce((sum, [, , , , connects]) => sum + Number(connects), 0),
    stderr,
  };
}

/** The value of a field in the last head received. */
export function fieldOf(transfer: Transfer, name: string): string | undefined {
  const prefix = `${name.toLowerCase()}:`;
  const line = transfer.received.findLast((line) => line.toLowerCase().startsWith(prefix));
  return line?.slice(prefix.length).trim();
}

function protocolArguments(front: Front, protocol: Protocol): readonly string[] {
  return protocol === "http" ? [] : ["--cacert", front.ca, "--http1.1"];
}
