import { ChunkedDecoder, type ChunkSink } from "../http1/chunked-decoder.ts";
import type { HeadLimits } from "../http1/limits.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { GatewaySettings } from "../config/gateway-settings.ts";
import { bodyTooLarge } from "./gateway-error.ts";
import { problemOf, type Problem } from "./own-answer.ts";

/** Takes the data of a request body, its framing undone. */
interface BodySink {
  onRequestData(bytes: Buffer, start: number, end: number): void;
}

/**
 * Bytes of a body that must come before the clock of silence is set again: a crawl is judged by it too, as it has to
 * bring `limits.bodyRate` over that time. 0: any byte will do.
 */
export function leastBody({ limits, timeouts }: GatewaySettings): number {
  return (limits.bodyRate * timeouts.idle) / 1000;
}

/** Reads the bodies of one connection's requests, one after the other. */
export class RequestBody implements ChunkSink {
  chunked = false;
  /** The body of the request under way was read to its end. */
  done = true;
  /** Trailer lines of a chunked body; valid when it is done. */
  trailers = "";
  /** Why `read` answered -1. */
  problem: Problem | undefined;
  /** Bytes of a body with a length that have not come yet. */
  remaining = 0;
  private received = 0;
  private limit = Infinity;
  private decoder: ChunkedDecoder | undefined;
  private sink: BodySink | undefined;

  /** False when the declared length is beyond the limit. `limit`: bytes, null for none. */
  begin(head: RequestHead, limit: number | null): boolean {
    this.chunked = head.chunked;
    this.remaining = Math.max(0, head.contentLength);
    this.done = !head.chunked && this.remaining === 0;
    this.received = 0;
    this.trailers = "";
    this.problem = undefined;
    this.limit = limit ?? Infinity;
    return this.remaining <= this.limit;
  }

  /** Chunked bodies only, and only when one has to be read bit by bit: most requests have no body at all. */
  beginChunks(limits: HeadLimits): void {
    this.decoder ??= new ChunkedDecoder(limits, false);
    this.decoder.reset();
  }

  /** Chunk extensions of the body under way. */
  get extensions(): number {
    return this.chunked ? (this.decoder?.extensions ?? 0) : 0;
  }

  /** Passes on what of bytes[start,end) belongs to the body; answers the offset after it, -1 when it is refused. */
  read(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    if (!this.chunked) {
      const take = Math.min(this.remaining, end - start);
      this.remaining -= take;
      sink.onRequestData(bytes, start, start + take);
      this.done = this.remaining === 0;
      return start + take;
    }
    const decoder = this.decoder!;
    this.sink = sink;
    const next = decoder.feed(bytes, start, end, this);
    this.sink = undefined;
    if (this.received > this.limit) this.problem = bodyTooLarge;
    else if (next < 0) this.problem = problemOf(decoder.refusal!);
    if (this.problem !== undefined) return -1;
    this.done = decoder.done;
    if (this.done) this.trailers = decoder.trailers;
    return next;
  }

  onChunkData(bytes: Buffer, start: number, end: number): void {
    this.received += end - start;
    if (this.received <= this.limit) this.sink?.onRequestData(bytes, start, end);
  }
}
