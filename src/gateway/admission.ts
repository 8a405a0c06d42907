import { clientKeyOf } from "../core/client-key.ts";
import type { CertificateAttribute, Client } from "../core/client.ts";
import { select, type Selection } from "../core/select.ts";
import type { HeadLimits } from "../http1/limits.ts";
import { proxyHeader } from "../http1/proxy-header.ts";
import { RequestHead } from "../http1/request-head.ts";
import { hasPassed } from "../http1/via.ts";
import type { AppRuntime } from "./app-runtime.ts";
import { clientAddress } from "./client-address.ts";
import type { ClientPeer } from "./client-peer.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { loopDetected, noRoute, overloaded } from "./gateway-error.ts";
import { lastForward, type Problem } from "./own-answer.ts";
import { requestHeadText } from "./request-emitter.ts";
import type { RequestTrace } from "./request-trace.ts";

/** What a trusted proxy may give as request id: it is repeated in our own pages and in logs. */
const REQUEST_ID = /^[\w.~:=+/@-]{1,200}$/;

/** A request that may go on: everything an exchange needs of it. */
export interface Admitted {
  readonly method: string;
  readonly id: string;
  /** The head that goes to the server, as latin1 text; short bodies are added to it. */
  text: string;
  readonly runtime: AppRuntime;
  readonly selection: Selection;
  /** Of the client, as selection knows it. */
  readonly address: string;
  /** What connections to the app's servers begin with, as latin1 text; "": nothing. */
  readonly proxyHeader: string;
  /** What the balancer `hash` turns on. */
  readonly clientKey: string;
  /** Protocol that the connection may turn into, in lower case; "" for none. */
  readonly upgrade: string;
  /** Absent: nobody collects traces. */
  readonly trace: RequestTrace | undefined;
}

/**
 * Decides from a request's head alone what becomes of it: whose it is, which group serves it, what the server is sent.
 * One for all connections of a process, as is the parser whose result it reads: that result is used up before anything
 * else is parsed.
 */
export class Admission implements Client {
  /** The head under way; a reload with other limits replaces it. */
  head: RequestHead;
  /** The address that selection goes by: the peer's, or what a trusted proxy says. */
  address = "";
  private peer: ClientPeer | undefined;
  /** Id of the request judged last, also when it was not admitted. */
  requestId = "";
  /** Why the last one was not admitted. */
  problem: Problem = noRoute;
  private rawHost = "";
  private host = "";

  constructor(limits: HeadLimits) {
    this.head = new RequestHead(limits);
  }

  header(name: string): string | undefined {
    return this.head.fields.get(name);
  }

  cookie(name: string): string | undefined {
    return this.head.fields.cookie(name);
  }

  /** The certificate of a proxy that speaks for the client says nothing of the client. */
  certificate(attribute: CertificateAttribute): readonly string[] {
    const { peer } = this;
    return peer?.address === this.address ? (peer.certificate?.[attribute] ?? []) : [];
  }

  /** Judges the head that was just parsed. Undefined: see `problem`. */
  admit(context: GatewayContext, peer: ClientPeer): Admitted | undefined {
    const { head } = this;
    const { trustedProxies } = context;
    const trusted = trustedProxies.size > 0 && trustedProxies.match(peer.address) !== undefined;
    const given = trusted ? this.header("x-request-id") : undefined;
    this.requestId = given !== undefined && REQUEST_ID.test(given) ? given : context.requestIds.next();
    if (isOverloaded(context)) {
      this.problem = overloaded;
      return undefined;
    }
    if (head.hasVia && hasPassed(head.fields, context.settings.via.toLowerCase())) {
      this.problem = loopDetected;
      return undefined;
    }
    if (head.maxForwards === 0) {
      this.problem = lastForward;
      return undefined;
    }
    const runtime = context.apps.find(this.hostOf(head.host), head.target);
    if (peer.refusal !== undefined || runtime === undefined) {
      this.problem = peer.refusal ?? noRoute;
      return undefined;
    }
    this.peer = peer;
    this.address = trusted ? clientAddress(peer.address, head.fields, trustedProxies) : peer.address;
    const { app } = runtime;
    const upgrade = app.upgrades.includes(head.upgrade) ? head.upgrade : "";
    const trace = context.tracer?.begin(head, peer, this.address);
    return {
      method: head.method,
      id: this.requestId,
      text: requestHeadText(head, {
        peer: peer.address,
        trusted,
        proto: peer.secure ? "https" : "http",
        requestId: this.requestId,
        via: context.settings.via,
        received: peer.http2 === true ? "2.0" : undefined,
        forwarded: context.settings.forwarded,
        upgrade,
        trace: trace === undefined ? "passed" : trace.continues ? "continued" : "begun",
      }),
      runtime,
      selection: select(app, this),
      address: this.address,
      proxyHeader: app.proxyProtocol === undefined ? "" : this.proxyHeaderOf(app.proxyProtocol, peer),
      clientKey: app.balance === "hash" ? clientKeyOf(app, this) : "",
      upgrade,
      trace,
    };
  }

  /** Of a client that a trusted proxy speaks for only the address is known. */
  private proxyHeaderOf(version: "v1" | "v2", peer: ClientPeer): string {
    const { address, port } = peer;
    const local = peer.local();
    const source = { address: this.address, port: this.address === address ? port : 0 };
    const header = proxyHeader(version, local && { source, destination: local });
    return Buffer.from(header).toString("latin1");
  }

  /** The host of an authority, lower-case and without its port. Clients mostly ask for the same one again. */
  private hostOf(authority: string): string {
    if (authority !== this.rawHost) {
      const lower = authority.toLowerCase();
      const colon = lower.endsWith("]") ? -1 : lower.lastIndexOf(":");
      this.rawHost = authority;
      this.host = colon < 0 ? lower : lower.slice(0, colon);
    }
    return this.host;
  }
}

/** Too much under way, or waiting so long that only refusing some serves the others in time. */
function isOverloaded(context: GatewayContext): boolean {
  const { inFlight } = context.counters;
  return inFlight >= context.settings.limits.requests || context.clock.shedder.refuses();
}
