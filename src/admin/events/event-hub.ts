import { randomBytes } from "node:crypto";
import type { Log } from "../../directory/log.ts";
import { type EventFilter, filterKey, isWanted } from "./event-filter.ts";
import { EventRing } from "./event-ring.ts";
import { type EventData, type EventType, PASSING_TYPES } from "./event-types.ts";

/** What is kept for readers that come back. */
const MOST_KEPT = 5000;
const MOST_KEPT_BYTES = 2 * 1024 * 1024;
/** More than all that is kept: a reader that comes back to that is not behind. */
const MOST_BEHIND = 2 * MOST_KEPT_BYTES;
/** Fewer than the admin listener has connections: the others are for people who want to do something. */
const MOST_READERS = 200;
/** How long events are gathered for readers that have gone, in ms: as long as it takes to come back. */
const ABSENCE = 60_000;
/** So that as many may be absent as are there. */
const MOST_AUDIENCES = 2 * MOST_READERS;
const TURN = 1000;
const HEARTBEAT = 15_000;
/** What readers are asked to wait before they come back, in ms. */
const RETRY = 2000;

/** One who reads events, as the hub sees it. */
export interface EventReader {
  /** Who it is, for the log. */
  readonly by: string;
  /** Bytes that it was given and that have not left this process yet. */
  readonly behind: number;
  /** Whole events, or other fields of the stream. The same bytes go to others: nobody changes them. */
  take(bytes: Uint8Array): void;
  /** It may still be told: its token or session stands. */
  mayStay(): boolean;
  /** It was too slow, or may not stay, and gets nothing any more. */
  cut(): void;
}

export interface EventHubOptions {
  readonly log: Log;
  /** How often sources are asked while somebody reads, in ms, default 1000. */
  readonly turnEvery?: number;
  /** How often readers hear something, in ms, default 15 s. */
  readonly heartbeatEvery?: number;
  /** How long a reader may be away and miss nothing, in ms, default 60 s. */
  readonly absence?: number;
}

/** Those who want the same. It stands for a while without anyone, so that one who comes back has missed nothing. */
interface Audience {
  readonly filter: EventFilter;
  /** Everything it wants was gathered from this id on. */
  readonly since: number;
  readonly readers: Set<EventReader>;
  /** Since when nobody is there, in ms; undefined: somebody is. */
  absentSince: number | undefined;
  /** To be sent to all of them at once. */
  pending: Uint8Array[];
}

/**
 * Events on their way to whoever reads them. An event is written once, and once joined with those of the same moment for
 * all who want the same; nothing is made for nobody.
 */
export class EventHub {
  readonly #options: Required<EventHubOptions>;
  /** Another one for each process: an id of another life means nothing here. */
  readonly #life = randomBytes(4).toString("hex");
  readonly #kept = new EventRing(MOST_KEPT, MOST_KEPT_BYTES);
  readonly #audiences = new Map<string, Audience>();
  readonly #turns: (() => void)[] = [];
  #last = 0;
  #readers = 0;
  #timers: NodeJS.Timeout[] = [];
  #flushing = false;

  constructor({ log, turnEvery = TURN, heartbeatEvery = HEARTBEAT, absence = ABSENCE }: EventHubOptions) {
    this.#options = { log, turnEvery, heartbeatEvery, absence };
  }

  /** Tells everyone who wants it. `app`: which app it is about; undefined: none in particular. */
  publish<T extends EventType>(type: T, app: string | undefined, data: EventData[T]): void {
    if (!this.isAwaited(type, app)) return;
    this.#last += 1;
    const bytes = encoded(`id: ${this.#lastId}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    if (!PASSING_TYPES.has(type)) this.#kept.add({ id: this.#last, type, app, bytes });
    for (const { filter, readers, pending } of this.#audiences.values()) {
      if (readers.size > 0 && isWanted(filter, type, app)) pending.push(bytes);
    }
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  /** How many there are. */
  get readers(): number {
    return this.#readers;
  }

  /** Somebody who is there wants such events: what has to be asked for is worth asking. */
  isRead(type: EventType, app: string | undefined): boolean {
    for (const { filter, readers } of this.#audiences.values()) {
      if (readers.size > 0 && isWanted(filter, type, app)) return true;
    }
    return false;
  }

  /** The same, or somebody who left a moment ago and may come back: what happens is worth noting. */
  isAwaited(type: EventType, app: string | undefined): boolean {
    this.#forgetAbsent();
    for (const { filter } of this.#audiences.values()) if (isWanted(filter, type, app)) return true;
    return false;
  }

  /** Calls back once a second while anyone reads. */
  whileRead(turn: () => void): void {
    this.#turns.push(turn);
  }

  /**
   * From now on the reader is given what it wants; first what it has missed since the event that `lastEventId` names, or a
   * `reset` if that cannot be said any more. Returns what ends it; undefined: there are too many.
   */
  follow(
    filter: EventFilter,
    lastEventId: string | undefined,
    reader: EventReader,
  ): (() => void) | undefined {
    if (this.#readers >= MOST_READERS) return undefined;
    this.#flush();
    const audience = this.#audienceOf(filter);
    reader.take(encoded(`retry: ${RETRY}\n\n`));
    for (const bytes of this.#missed(audience, lastEventId)) reader.take(bytes);
    reader.take(encoded(this.#position));
    audience.readers.add(reader);
    audience.absentSince = undefined;
    this.#readers += 1;
    if (this.#readers === 1) this.#start();
    return () => this.#leave(audience, reader);
  }

  get #lastId(): string {
    return `${this.#life}-${this.#last}`;
  }

  /** Moves the reader's last id on, without an event: else one that hears little would soon have an id that is forgotten. */
  get #position(): string {
    return `id: ${this.#lastId}\n\n`;
  }

  #audienceOf(filter: EventFilter): Audience {
    this.#forgetAbsent();
    const key = filterKey(filter);
    const standing = this.#audiences.get(key);
    if (standing !== undefined) return standing;
    if (this.#audiences.size >= MOST_AUDIENCES) this.#forgetLongestAbsent();
    // A number of its own: what was read before it began is before it, though nothing was told since.
    this.#last += 1;
    const absentSince = performance.now();
    const audience = { filter, since: this.#last, readers: new Set<EventReader>(), absentSince, pending: [] };
    this.#audiences.set(key, audience);
    return audience;
  }

  #missed({ filter, since }: Audience, lastEventId: string | undefined): readonly Uint8Array[] {
    if (lastEventId === undefined) return [];
    const [life, written] = /^(\w+)-(\d{1,15})$/.exec(lastEventId)?.slice(1) ?? [];
    const id = Number(written);
    if (life !== this.#life || id > this.#last) {
      return [this.#reset("the last event's id is none of this process: the gateway was started anew")];
    }
    if (id < since || id < this.#kept.forgotten) {
      return [this.#reset("the last event was too long ago: what came since is not kept")];
    }
    return this.#kept
      .after(id)
      .flatMap(({ type, app, bytes }) => (isWanted(filter, type, app) ? [bytes] : []));
  }

  /** Of one reader alone, so that it has no id of its own. */
  #reset(reason: string): Uint8Array {
    return encoded(`id: ${this.#lastId}\nevent: reset\ndata: ${JSON.stringify({ reason })}\n\n`);
  }

  #start(): void {
    const { turnEvery, heartbeatEvery } = this.#options;
    const turn = (): void => {
      for (const source of this.#turns) source();
    };
    this.#timers = [setInterval(turn, turnEvery), setInterval(() => this.#beat(), heartbeatEvery)];
    for (const timer of this.#timers) timer.unref();
  }

  #beat(): void {
    this.#flush();
    const beat = encoded(`:\n${this.#position}`);
    for (const audience of this.#audiences.values()) {
      for (const reader of audience.readers) {
        if (reader.mayStay()) continue;
        this.#leave(audience, reader);
        reader.cut();
      }
      this.#send(audience, beat);
    }
  }

  #flush(): void {
    this.#flushing = false;
    for (const audience of this.#audiences.values()) {
      const { pending } = audience;
      if (pending.length === 0) continue;
      audience.pending = [];
      this.#send(audience, pending.length === 1 ? pending[0]! : Buffer.concat(pending));
    }
  }

  #send(audience: Audience, bytes: Uint8Array): void {
    for (const reader of audience.readers) {
      reader.take(bytes);
      const { by, behind } = reader;
      if (behind <= MOST_BEHIND) continue;
      this.#leave(audience, reader);
      reader.cut();
      this.#options.log.warn(
        { by, behind },
        `a reader of events is cut off: it is ${behind} bytes behind, more than the ${MOST_BEHIND} that are held for one`,
      );
    }
  }

  #leave(audience: Audience, reader: EventReader): void {
    if (!audience.readers.delete(reader)) return;
    this.#readers -= 1;
    if (audience.readers.size === 0) {
      audience.absentSince = performance.now();
      audience.pending = [];
    }
    if (this.#readers > 0) return;
    for (const timer of this.#timers) clearInterval(timer);
  }

  #forgetAbsent(): void {
    const now = performance.now();
    for (const [key, { absentSince = now }] of this.#audiences) {
      if (now - absentSince > this.#options.absence) this.#audiences.delete(key);
    }
  }

  #forgetLongestAbsent(): void {
    const absent = [...this.#audiences].filter(([, { absentSince }]) => absentSince !== undefined);
    const [first] = absent.sort(([, one], [, other]) => one.absentSince! - other.absentSince!);
    if (first !== undefined) this.#audiences.delete(first[0]);
  }
}

function encoded(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}
