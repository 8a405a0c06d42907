import { run } from "./run.ts";
import type { Front, Place } from "./front.ts";

/** How curl speaks to the gateway: HTTP/1.1 in the clear and over TLS, HTTP/2 in the clear and over TLS. */
export type Manner = "http" | "https" | "h2c" | "h2";
export const MANNERS: readonly Manner[] = ["http", "https", "h2c", "h2"];

/** One run of curl. */
export interface Transfer {
  readonly code: number | null;
  /** Bodies received, one after the other. */
  readonly body: string;
  /** Head lines received, interim answers included. */
  readonly received: readonly string[];
  readonly status: number;
  /** "1", "1.1" or "2"; all that transfers differ in. */
  readonly version: string;
  readonly uploaded: number;
  /** Connections opened. */
  readonly connects: number;
  readonly stderr: string;
}

/** On stderr, apart from the body. One line for each transfer: the last one's status counts, connects add up. */
const FACTS = "%{stderr}facts %{http_code} %{http_version} %{size_upload} %{num_connects}\n";

export async function curl(
  front: Front,
  manner: Manner,
  path: string,
  args: readonly string[] = [],
  stdin: string = "",
): Promise<Transfer> {
  const all = [...mannerArguments(front, manner), ...args, front.origin(placeOf(manner)) + path];
  const { code, stdout, stderr } = await run("curl", ["-q", "-sS", "-v", "-w", FACTS, ...all], stdin);
  const facts = [...stderr.matchAll(/^facts (\d+) (\S+) (\d+) (\d+)$/gm)];
  const [, status, , uploaded] = facts.at(-1) ?? [];
  const received = stderr.split("\n").filter((line) => line.startsWith("< "));
  return {
    code,
    body: stdout,
    received: received.map((line) => line.slice(2).trimEnd()).filter((line) => line !== ""),
    status: Number(status),
    version: [...new Set(facts.map(([, , version]) => version))].join(),
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

export function placeOf(manner: Manner): Place {
  return manner === "h2" ? "https" : manner;
}

function mannerArguments(front: Front, manner: Manner): readonly string[] {
  switch (manner) {
    case "http":
      return [];
    case "https":
      return ["--cacert", front.ca, "--http1.1"];
    case "h2c":
      return ["--http2-prior-knowledge"];
    case "h2":
      return ["--cacert", front.ca, "--http2"];
  }
}
