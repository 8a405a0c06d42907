import { ChunkedDecoder, type ChunkSink } from "../http1/chunked-decoder.ts";
import type { HeadLimits } from "../http1/limits.ts";
import { BodyKind } from "../http1/response-head.ts";

/** Takes the data of a response body, its framing undone. */
export interface ResponseBodySink {
  onResponseData(bytes: Buffer, start: number, end: number): void;
}

/** Reads the bodies of one server connection's responses, one after the other. */
export class ResponseBody implements ChunkSink {
  kind: BodyKind = BodyKind.NONE;
  /** It was read to its end; never of one that ends with its connection. */
  done = true;
  /** Trailer lines of a chunked body; valid when it is done. */
  trailers = "";
  private remaining = 0;
  private decoder: ChunkedDecoder | undefined;
  private sink: ResponseBodySink | undefined;

  /** `length`: bytes of a body with one. */
  begin(kind: BodyKind, length: number, limits: HeadLimits): void {
    this.kind = kind;
    this.done = kind === BodyKind.NONE;
    this.trailers = "";
    this.remaining = length;
    if (kind !== BodyKind.CHUNKED) return;
    this.decoder ??= new ChunkedDecoder(limits, true);
    this.decoder.reset();
  }

  /** Passes on what of bytes[start,end) belongs to the body; answers the offset after it, -1 when it is refused. */
  read(bytes: Buffer, start: number, end: number, sink: ResponseBodySink): number {
    if (this.done) return start;
    if (this.kind === BodyKind.CHUNKED) return this.readChunks(bytes, start, end, sink);
    const take = this.kind === BodyKind.LENGTH ? Math.min(this.remaining, end - start) : end - start;
    this.remaining -= take;
    if (take > 0) sink.onResponseData(bytes, start, start + take);
    this.done = this.kind === BodyKind.LENGTH && this.remaining === 0;
    return start + take;
  }

  /** Why `read` answered -1. */
  get refusal(): string {
    return this.decoder?.refusal?.detail ?? "malformed chunked body";
  }

  onChunkData(bytes: Buffer, start: number, end: number): void {
    this.sink?.onResponseData(bytes, start, end);
  }

  private readChunks(bytes: Buffer, start: number, end: number, sink: ResponseBodySink): number {
    const decoder = this.decoder!;
    this.sink = sink;
    const next = decoder.feed(bytes, start, end, this);
    this.sink = undefined;
    this.done = decoder.done;
    if (this.done) this.trailers = decoder.trailers;
    return next;
  }
}
