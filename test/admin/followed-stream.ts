import { SseParser, type SentEvent } from "../../src/cli/events/sse-parser.ts";
import { until } from "../e2e/harness/until.ts";

export interface TestEvent<Data = Record<string, unknown>> {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: Data;
}

/** An open stream of events, and all that came of it. */
export class FollowedStream {
  readonly events: TestEvent[] = [];
  readonly response: Response;
  /** Resolves when the stream is over. */
  readonly ended: Promise<"in order" | "cut">;
  /** As it came. */
  text = "";
  readonly #parser = new SseParser();
  readonly #abort: AbortController;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.ended = this.#read().then(
      () => "in order",
      () => "cut",
    );
  }

  /** Resolves when the head of the answer is there: what happens from then on is told. */
  static async open(
    url: string,
    token: string,
    headers: Record<string, string> = {},
  ): Promise<FollowedStream> {
    const abort = new AbortController();
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}`, ...headers },
      signal: abort.signal,
    });
    return new FollowedStream(response, abort);
  }

  get lastEventId(): string | undefined {
    return this.#parser.lastEventId;
  }

  close(): void {
    this.#abort.abort();
  }

  /** Those that came of a type. */
  of<Data = Record<string, unknown>>(type: string): readonly TestEvent<Data>[] {
    return this.events.filter((event) => event.type === type) as TestEvent<Data>[];
  }

  /** Waits for an event of the type that is like this. */
  async next<Data = Record<string, unknown>>(
    type: string,
    isMeant: (data: Data) => boolean = () => true,
  ): Promise<TestEvent<Data>> {
    return await until(`an event ${type}`, () => this.of<Data>(type).find(({ data }) => isMeant(data)), {
      instead: () => this.events,
    });
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.response.body ?? []) {
      const text = decoder.decode(bytes as Uint8Array, { stream: true });
      this.text += text;
      for (const event of this.#parser.push(text)) this.#take(event);
    }
  }

  #take({ id, type, data }: SentEvent): void {
    this.events.push({ id, type, data: JSON.parse(data) as Record<string, unknown> });
  }
}
