import type { RequestHead } from "../http1/request-head.ts";
import { BodyKind, type ResponseHead } from "../http1/response-head.ts";
import type { AnswerFrame, AnswerSink } from "./downstream.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { countError } from "./gateway-counters.ts";
import type { Outlet } from "./outlet.ts";
import { ownAnswer, type AnswerWishes, type Problem } from "./own-answer.ts";
import { interimHeadText, responseHeadText } from "./response-emitter.ts";

const NOTHING = Buffer.alloc(0);

/** Writes the answers of one HTTP/1 connection, one after the other. */
export class Http1Answer implements AnswerSink {
  /** Facts of the request under way. */
  http10 = false;
  keepAlive = true;
  /** The connection ends with this answer; valid when it has begun. */
  close = false;
  private expectsContinue = false;
  private takesTrailers = false;
  private chunked = false;
  /** The chunk that is being gathered: a range of what was read from the server; empty when start and end are equal. */
  private chunk: Buffer = NOTHING;
  private chunkStart = 0;
  private chunkEnd = 0;
  private readonly context: GatewayContext;
  private readonly outlet: Outlet;

  constructor(context: GatewayContext, outlet: Outlet) {
    this.context = context;
    this.outlet = outlet;
  }

  /** The request that is to be answered next. */
  expect(request: RequestHead): void {
    this.http10 = request.minor === 0;
    this.keepAlive = request.keepAlive;
    this.expectsContinue = request.expectContinue;
    this.takesTrailers = request.hasTeTrailers;
    this.close = false;
  }

  get backlog(): number {
    return this.outlet.backlog;
  }

  interim(head: ResponseHead): boolean {
    // 1xx is unknown to HTTP/1.0 (RFC 9110, 15.2), and a 100 is for those who asked for it.
    if (this.http10 || (head.status === 100 && !this.expectsContinue)) return false;
    this.outlet.append(interimHeadText(head));
    return true;
  }

  refusal(): undefined {
    return undefined;
  }

  begin(head: ResponseHead, frame: AnswerFrame): void {
    const { bodyKind, group, requestComplete } = frame;
    const { http10, context } = this;
    const unframed = bodyKind === BodyKind.CHUNKED || bodyKind === BodyKind.UNTIL_CLOSE;
    this.chunked = unframed && !http10;
    this.close = !this.keepAlive || context.draining || !requestComplete || (unframed && http10);
    this.outlet.append(
      responseHeadText(head, {
        bodyKind,
        http10,
        close: this.close,
        trailers: this.chunked && bodyKind === BodyKind.CHUNKED && this.takesTrailers,
        via: context.settings.via,
        httpDate: context.clock.httpDate,
        group,
      }),
    );
  }

  /**
   * The chunks of one read become one: a server's small ones would each cost as much as a large one. They are moved
   * together in place, over the chunk sizes between them, which have been read.
   */
  data(bytes: Buffer, start: number, end: number): void {
    if (!this.chunked) {
      this.outlet.appendBytes(bytes, start, end);
      return;
    }
    const { chunkEnd } = this;
    if (bytes !== this.chunk || chunkEnd === this.chunkStart) {
      this.endChunk();
      this.chunk = bytes;
      this.chunkStart = start;
      this.chunkEnd = end;
      return;
    }
    if (start !== chunkEnd) bytes.copyWithin(chunkEnd, start, end);
    this.chunkEnd = chunkEnd + end - start;
  }

  private endChunk(): void {
    const { outlet, chunkStart, chunkEnd } = this;
    if (chunkStart === chunkEnd) return;
    outlet.append(`${(chunkEnd - chunkStart).toString(16)}\r\n`);
    outlet.appendBytes(this.chunk, chunkStart, chunkEnd);
    outlet.append("\r\n");
    this.chunk = NOTHING;
    this.chunkStart = this.chunkEnd = 0;
  }

  end(trailers: string): void {
    this.endChunk();
    // Who did not say `TE: trailers` may not expect any (RFC 9110, 6.5.1): they may be left out, and are.
    if (this.chunked) this.outlet.append(`0\r\n${this.takesTrailers ? trailers : ""}\r\n`);
  }

  switchProtocols(head: ResponseHead): void {
    this.chunked = false;
    this.outlet.append(interimHeadText(head));
  }

  /** An answer of the gateway itself. */
  own(
    problem: Problem,
    requestId: string,
    group: string | undefined,
    { html, head }: AnswerWishes,
    close: boolean,
  ): void {
    const { clock, counters } = this.context;
    countError(counters, problem.code);
    const frame = { requestId, group, httpDate: clock.httpDate, html, head };
    this.outlet.append(ownAnswer(problem, frame, close));
    this.outlet.flush();
  }

  flush(): boolean {
    this.endChunk();
    return this.outlet.flush();
  }
}
