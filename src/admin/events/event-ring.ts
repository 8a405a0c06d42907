import type { EventType } from "./event-types.ts";

/** One event as it goes over the wire, with what readers choose by. */
interface KeptEvent {
  /** Grows from event to event. */
  readonly id: number;
  readonly type: EventType;
  readonly app: string | undefined;
  readonly bytes: Uint8Array;
}

/** The newest events, as many as there is room for. */
export class EventRing {
  readonly #most: number;
  readonly #mostBytes: number;
  readonly #events: KeptEvent[] = [];
  #bytes = 0;
  #forgotten = 0;

  constructor(most: number, mostBytes: number) {
    this.#most = most;
    this.#mostBytes = mostBytes;
  }

  /** The id of the newest event that is not kept any more; 0: there is none. */
  get forgotten(): number {
    return this.#forgotten;
  }

  add(event: KeptEvent): void {
    this.#events.push(event);
    this.#bytes += event.bytes.byteLength;
    while (this.#events.length > this.#most || this.#bytes > this.#mostBytes) {
      const { id, bytes } = this.#events.shift()!;
      this.#bytes -= bytes.byteLength;
      this.#forgotten = id;
    }
  }

  /** Those that came after this id, in their order. */
  after(id: number): readonly KeptEvent[] {
    const first = this.#events.findIndex((event) => event.id > id);
    return first < 0 ? [] : this.#events.slice(first);
  }
}
