/** One server-sent event. */
export interface SentEvent {
  /** The last one that the stream has named; undefined: none yet. */
  readonly id: string | undefined;
  readonly type: string;
  readonly data: string;
}

/**
 * Text of a `text/event-stream`, in pieces of any size, taken apart as the HTML standard says (section 9.2.6); a byte order
 * mark is the decoder's affair.
 */
export class SseParser {
  /** The id that the stream reached; undefined: it has named none yet. */
  lastEventId: string | undefined;
  #rest = "";
  #id: string | undefined;
  #type = "";
  #data: string[] = [];

  /** The events that are whole now. */
  push(text: string): readonly SentEvent[] {
    const events: SentEvent[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = this.#take(line);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #take(line: string): SentEvent | undefined {
    if (line === "") return this.#dispatch();
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") this.#type = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return undefined;
  }

  #dispatch(): SentEvent | undefined {
    const [type, data] = [this.#type, this.#data];
    this.#type = "";
    this.#data = [];
    this.lastEventId = this.#id;
    if (data.length === 0) return undefined;
    return { id: this.#id, type: type === "" ? "message" : type, data: data.join("\n") };
  }
}
