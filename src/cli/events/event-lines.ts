import type { EventData } from "../../admin/events/event-types.ts";
import { lineOf, printable } from "../release/release-words.ts";
import type { SentEvent } from "./sse-parser.ts";

/** One line for people. `at`, in ms since the epoch, is the time of events that carry none. */
export function lineOfEvent({ type, data }: Pick<SentEvent, "type" | "data">, at: number): string {
  const parsed: unknown = JSON.parse(data);
  const words = Object.hasOwn(WORDS, type) ? WORDS[type as keyof Shown] : undefined;
  return printable(words === undefined ? `${timeText(at)} ${type} ${data}` : words(parsed as never, at));
}

type Words = {
  readonly [T in keyof Shown]: (data: Shown[T], at: number) => string;
};

interface Shown extends Omit<EventData, "verdict"> {
  readonly reset: { readonly reason: string };
}

const WORDS: Words = {
  app: ({ app, revision, by, what, at }) =>
    `${timeText(at)} ${app}: ${revision === null ? "deleted" : `revision ${revision}, ${what}`} by ${by}`,
  release: (view, at) => lineOf(view, at),
  server({ app, group, server, weight, state, deadUntil, healthy, lastError }, at) {
    const parts = [
      `weight ${weight}`,
      ...(healthy ? [] : ["its check fails"]),
      ...(deadUntil === null ? [] : [`tried again at ${timeText(deadUntil)}`]),
      ...(lastError === null ? [] : [`last error: ${lastError}`]),
    ];
    return `${timeText(at)} ${app}: server ${server} of ${group} is ${state}; ${parts.join("; ")}`;
  },
  gateway(rows, at) {
    const gateways = rows.map(({ name, live, ready, lag, version }) => {
      const state = live ? (ready ? "live" : "not ready") : "lost";
      return `${name} ${version} ${state}${lag === 0 ? "" : `, ${lag} ${lag === 1 ? "app" : "apps"} behind`}`;
    });
    return `${timeText(at)} gateways: ${gateways.join("; ")}`;
  },
  traffic({ app, at, groups }) {
    const parts = groups.map(
      ({ group, perSecond, failuresPerSecond, inFlight }) =>
        `${group} ${perSecond}/s, ${failuresPerSecond}/s failed, ${inFlight} in flight`,
    );
    return `${timeText(at)} ${app}: ${parts.join("; ")}`;
  },
  reset: ({ reason }, at) => `${timeText(at)} some events were missed: ${reason}`,
};

function timeText(at: number | string): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
