import type { AccessLogSettings } from "../config/gateway-settings.ts";
import type { Rule } from "../core/select.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ClientPeer } from "./client-peer.ts";
import type { GatewayContext } from "./gateway-context.ts";
import type { Problem } from "./own-answer.ts";

/** What is told of one request when it is over. Texts are "" where there is nothing to say. */
export interface LoggedRequest {
  readonly app: string;
  /** The server that answered, or was asked last, and its group. */
  readonly group: string;
  readonly server: string;
  /** Address that selection went by. */
  readonly client: string;
  readonly method: string;
  /** Path and query as they were sent to the server. */
  readonly target: string;
  /** Of the answer; 0: there was none. */
  readonly status: number;
  /** Code of the gateway's own answer; "cut": the answer broke off; "left": the client did not wait for its end. */
  readonly error: string;
  /** Of the body that came from the server. */
  readonly bytes: number;
  /** Ms; NaN: not known. */
  readonly duration: number;
  /** Servers that it was sent to. */
  readonly tries: number;
  readonly id: string;
  readonly rule: Rule | undefined;
  /** Id of the release that ran. */
  readonly release: string;
}

/** Where requests are told of. Nobody waits for it. */
export interface AccessLog {
  /** Whether a request that ended so is to be told of. */
  wants(status: number, error: string): boolean;
  /** False: there is no room, and the line is lost. */
  tell(request: LoggedRequest): boolean;
  /** Writes what there is, as far as that is possible within a moment; resolves to the number of lines that are lost. */
  close(): Promise<number>;
}

/** Rejects with an Error for people when nothing can be written there. `onTrouble`: told once when nothing can be any more. */
export type OpenAccessLog = (
  settings: AccessLogSettings,
  onTrouble: (problem: string) => void,
) => Promise<AccessLog>;

/** Tells of a request that is over; what does not fit is counted. */
export function tellLog({ accessLog, counters }: GatewayContext, request: LoggedRequest): void {
  if (accessLog?.tell(request) === true) counters.logLines++;
  else counters.logDropped++;
}

/** Tells of a request that was answered before it was anybody's, in traces too. `head`: absent if it could not be read. */
export function tellRefused(
  context: GatewayContext,
  peer: ClientPeer,
  { status, code }: Problem,
  id: string,
  head: RequestHead | undefined,
): void {
  const { accessLog, tracer } = context;
  const trace = head && tracer?.begin(head, peer, peer.address);
  const logged = accessLog?.wants(status, code) === true;
  if (!logged && trace?.sampled !== true) return;
  const request: LoggedRequest = {
    app: "",
    group: "",
    server: "",
    client: peer.address,
    method: head?.method ?? "",
    target: head?.target ?? "",
    status,
    error: code,
    bytes: 0,
    duration: 0,
    tries: 0,
    id,
    rule: undefined,
    release: "",
  };
  if (logged) tellLog(context, request);
  trace?.ends(request);
}

/** The target in the text of a head that goes to a server. */
export function targetOf(text: string): string {
  const start = text.indexOf(" ") + 1;
  return text.slice(start, text.indexOf(" ", start));
}
