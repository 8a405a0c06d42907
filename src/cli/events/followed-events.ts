import { REAL_TIME, type Time } from "../../release/time.ts";
import type { AdminClient } from "../admin-client.ts";
import { Unreachable } from "../cli-failure.ts";
import { type SentEvent, SseParser } from "./sse-parser.ts";

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** Three heartbeats, in ms: whoever is silent for so long is gone, though nothing has said so. */
const LONGEST_SILENCE = 45_000;

/** An event, or that none comes now. */
export type Followed =
  | { readonly kind: "event"; readonly event: SentEvent }
  /** `pause`: ms until it is tried again. */
  | { readonly kind: "away"; readonly reason: string; readonly pause: number };

/**
 * Follows the events of this path until `signal` says that it is enough, over as many connections as it takes. Fails like
 * any command if there is no first one, or if a later one is refused.
 */
export async function* followedEvents(
  client: AdminClient,
  path: string,
  signal: AbortSignal,
  time: Time = REAL_TIME,
): AsyncGenerator<Followed, void> {
  let lastEventId: string | undefined;
  let wasThere = false;
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    let reason = "the events have ended";
    try {
      for await (const { id, events } of piecesOf(client, path, lastEventId, signal, time)) {
        wasThere = true;
        pause = FIRST_PAUSE;
        lastEventId = id ?? lastEventId;
        for (const event of events) yield { kind: "event", event };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Unreachable) || !wasThere) throw error;
      reason = error.message;
    }
    if (signal.aborted) return;
    yield { kind: "away", reason, pause };
    await waited(time, pause, signal);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}

interface Piece {
  readonly id: string | undefined;
  readonly events: readonly SentEvent[];
}

/** Throws `Unreachable` when it breaks. */
async function* piecesOf(
  client: AdminClient,
  path: string,
  lastEventId: string | undefined,
  signal: AbortSignal,
  time: Time,
): AsyncGenerator<Piece, void> {
  const silence = new AbortController();
  const listen = (): (() => void) => time.after(LONGEST_SILENCE, () => silence.abort());
  let stopListening = listen();
  const headers = { Accept: "text/event-stream", ...(lastEventId && { "Last-Event-ID": lastEventId }) };
  try {
    const body = client.events(path, headers, AbortSignal.any([signal, silence.signal]));
    const parser = new SseParser();
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      stopListening();
      stopListening = listen();
      const events = parser.push(decoder.decode(bytes, { stream: true }));
      yield { id: parser.lastEventId, events };
    }
  } catch (error) {
    if (silence.signal.aborted) throw new Unreachable(`nothing was heard for ${LONGEST_SILENCE / 1000} s`);
    throw error;
  } finally {
    stopListening();
  }
}

/** Shorter if it is enough. */
async function waited(time: Time, milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const cancel = time.after(milliseconds, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    const stop = (): void => {
      cancel();
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}
