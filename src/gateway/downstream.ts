import type { BodyKind, ResponseHead } from "../http1/response-head.ts";
import type { GatewayError } from "./gateway-error.ts";
import type { Problem } from "./own-answer.ts";

/** What an answer's writer has to know besides the head of the server's response. */
export interface AnswerFrame {
  readonly bodyKind: BodyKind;
  /** Group that answered, for those who are told; "" for the others. */
  readonly group: string;
  /** The request was read to its end. Otherwise an HTTP/1.1 connection cannot be used again. */
  readonly requestComplete: boolean;
}

/** Where an exchange writes a server's response for its client, framed as that client's protocol wants it. */
export interface AnswerSink {
  /** Bytes that wait for the client. */
  readonly backlog: number;
  /** A 1xx response other than 101. False: left out, as this client does not want it. */
  interim(head: ResponseHead): boolean;
  /** Why this response, final or 101, cannot be given in the client's protocol: that is answered instead. */
  refusal(head: ResponseHead): GatewayError | undefined;
  begin(head: ResponseHead, frame: AnswerFrame): void;
  /** A range of the body, its framing undone. */
  data(bytes: Buffer, start: number, end: number): void;
  /** The body is whole. `trailers`: lines, `Name: value CRLF` each. */
  end(trailers: string): void;
  /** The server agreed to the upgrade that was asked for: from here on `data` is the tunnel's. */
  switchProtocols(head: ResponseHead): void;
  /** Sends what was gathered. True when memory of `data` is still referred to and must not be read into again. */
  flush(): boolean;
}

/** The client's side of one exchange: a connection of HTTP/1.1 or a stream of HTTP/2. */
export interface Downstream {
  readonly answer: AnswerSink;
  pauseInput(): void;
  resumeInput(): void;
  /** The client takes its answer more slowly than it comes. */
  onBlocked(): void;
  /** From here on both directions are bytes that belong to nobody but client and server. */
  onTunnel(): void;
  /** The server of a tunnel has nothing more to say. */
  endOutput(): void;
  /** The whole answer was given. */
  onExchangeDone(): void;
  /** The exchange failed before an answer began: the gateway answers by itself. */
  answerOwn(problem: Problem, requestId: string, group?: string): void;
  /** An answer has begun and cannot be finished: the client has to see that. */
  cut(): void;
}
