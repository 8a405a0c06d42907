import type { TracesSettings } from "../config/gateway-settings.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { LoggedRequest } from "./access-log.ts";
import type { ClientPeer } from "./client-peer.ts";
import type { UpstreamServer } from "./upstream-server.ts";

/** One request as a trace knows it: a span, and one for each try. */
export interface RequestTrace {
  /** It is told of; all others only learn by it that they are not to be. */
  readonly sampled: boolean;
  /** The client's trace goes on. Otherwise this is a new one, to which nothing of what the client sent belongs. */
  readonly continues: boolean;
  /** A try begins, by TLS if `secure`. `again`: so many went before. Its `traceparent` is `parent` from here on. */
  tryBegins(server: UpstreamServer, secure: boolean, again: number): void;
  /** Value of the field that the server is sent. */
  readonly parent: string;
  tryAnswered(status: number): void;
  /** A code of `gateway-error.ts`, or what else ended it. */
  tryFailed(error: string): void;
  tryEnds(): void;
  ends(request: LoggedRequest): void;
}

/** Follows requests for whoever collects traces. */
export interface Tracer {
  /** A request begins; `head` is read before anything else is parsed. `client`: its address as selection sees it. */
  begin(head: RequestHead, peer: ClientPeer, client: string): RequestTrace;
  /** Sends what there is, as far as that is possible within a moment. */
  close(): Promise<void>;
}

/** What became of spans. */
export interface TraceListener {
  exported(spans: number): void;
  dropped(spans: number): void;
  /** Told once when they can be sent nowhere any more. */
  trouble(problem: string): void;
}

export type OpenTracer = (settings: TracesSettings, listener: TraceListener) => Promise<Tracer>;

/** The head with the field `traceparent` after its first line. */
export function withTraceparent(text: string, value: string): string {
  const at = text.indexOf("\r\n") + 2;
  return `${text.slice(0, at)}traceparent: ${value}\r\n${text.slice(at)}`;
}
