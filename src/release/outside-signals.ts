import type { SignalSource } from "../config/signal-settings.ts";
import type { Comparison } from "../core/verdict/counts.ts";
import { harmlessText } from "./harmless-text.ts";
import type { OutsideRequest, OutsideSource } from "./outside-source.ts";
import { codeOf } from "./post-json.ts";
import { prometheusCounts } from "./prometheus-counts.ts";
import { REAL_TIME, type Time } from "./time.ts";
import { webhookCounts } from "./webhook-counts.ts";

/** Characters of a reason. */
const LONGEST_REASON = 300;

export function outsideSource(settings: SignalSource, time: Time = REAL_TIME): OutsideSource {
  return {
    name: settings.name,
    async read(request, signal) {
      const counts = await readInTime(settings, request, time, signal);
      return typeof counts === "string"
        ? { kind: "failed", reason: shortened(harmlessText(counts)) }
        : { kind: "counted", comparison: counts };
    },
  };
}

async function readInTime(
  { from, timeout }: SignalSource,
  request: OutsideRequest,
  time: Time,
  signal: AbortSignal,
): Promise<Comparison | string> {
  for (const side of ["test", "rest"] as const) {
    // An empty pattern would match what has no such label at all.
    if (request[side].groups.length === 0 || request[side].servers.length === 0)
      return `no servers in ${side}`;
  }
  const over = new AbortController();
  let late = false;
  const cancel = time.after(timeout, () => {
    late = true;
    over.abort();
  });
  const until = AbortSignal.any([signal, over.signal]);
  const failed = (how: string): string => {
    if (late) return `no answer within ${timeout / 1000} s`;
    return signal.aborted ? "stopped" : how;
  };
  try {
    const counts =
      from.kind === "prometheus"
        ? await prometheusCounts(from, request, time.now(), until)
        : await webhookCounts(from, request, time.now(), until);
    return typeof counts === "string" ? failed(counts) : counts;
  } catch (error) {
    // Whoever has the URL may ask: it is told by its host alone.
    return failed(`${new URL(from.url).host}: ${codeOf(error)}`);
  } finally {
    cancel();
    // Of several questions some may still be under way.
    over.abort();
  }
}

function shortened(text: string): string {
  return text.length <= LONGEST_REASON ? text : `${text.slice(0, LONGEST_REASON - 1)}…`;
}
