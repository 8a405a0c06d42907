import type { Connection } from "../connection.ts";
import type { EventFilter } from "./event-filter.ts";
import type { EventHub, EventReader } from "./event-hub.ts";

export interface EventStreamOptions {
  readonly filter: EventFilter;
  readonly lastEventId: string | undefined;
  readonly by: string;
  /** Asked with every heartbeat. */
  readonly mayStay: () => boolean;
}

/**
 * The events as the body of an answer, until either side closes. What the connection has not taken waits in the stream's
 * own queue, so that its length is how far the reader is behind, but for what the kernel holds. Undefined: there are too
 * many readers.
 */
export function eventStream(
  hub: EventHub,
  { filter, lastEventId, by, mayStay }: EventStreamOptions,
  { closing, cut }: Connection,
): ReadableStream<Uint8Array> | undefined {
  let queue!: ReadableStreamDefaultController<Uint8Array>;
  let leave: (() => void) | undefined;
  const depart = (): void => {
    closing.removeEventListener("abort", end);
    leave?.();
  };
  const stream = new ReadableStream<Uint8Array>(
    { start: (controller) => void (queue = controller), cancel: depart },
    { highWaterMark: 0, size: ({ byteLength }) => byteLength },
  );
  const reader: EventReader = {
    by,
    mayStay,
    get behind() {
      return -(queue.desiredSize ?? 0);
    },
    take: (bytes) => queue.enqueue(bytes),
    cut,
  };
  // One that is behind would hold up the listener's end until it has read everything.
  const end = (): void => {
    depart();
    if (reader.behind > 0) cut();
    else queue.close();
  };
  leave = hub.follow(filter, lastEventId, reader);
  if (leave === undefined) return undefined;
  closing.addEventListener("abort", end);
  if (closing.aborted) end();
  return stream;
}
