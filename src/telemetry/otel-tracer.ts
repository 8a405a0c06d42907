import {
  type Attributes,
  createTraceState,
  ROOT_CONTEXT,
  type Context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer as OtelApi,
  TraceFlags,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AlwaysOnSampler, BasicTracerProvider, RandomIdGenerator } from "@opentelemetry/sdk-trace-base";
import type { TracesSettings } from "../config/gateway-settings.ts";
import type { LoggedRequest } from "../gateway/access-log.ts";
import type { ClientPeer } from "../gateway/client-peer.ts";
import type { RequestTrace, TraceListener, Tracer } from "../gateway/request-trace.ts";
import type { UpstreamServer } from "../gateway/upstream-server.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { VERSION } from "../version.ts";
import { BoundedExport } from "./bounded-export.ts";
import { type IncomingTrace, incomingTrace, writeTraceparent } from "./traceparent.ts";

/** How long an end waits for what is to be sent, in ms. */
const LAST_WAIT = 2000;

/**
 * Traces of OpenTelemetry, by the semantic conventions for HTTP. Which requests are traced is decided before the SDK is asked:
 * it would take ten times as long to make a span of nothing.
 */
export class OtelTracer implements Tracer {
  private readonly provider: BasicTracerProvider;
  private readonly api: OtelApi;
  private readonly sample: number;
  private readonly ids: RandomIdGenerator = new RandomIdGenerator();

  constructor(settings: TracesSettings, listener: TraceListener) {
    const exporter = new OTLPTraceExporter({ url: settings.endpoint, headers: { ...settings.headers } });
    this.provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ "service.name": settings.service, "service.version": VERSION }),
      sampler: new AlwaysOnSampler(),
      spanProcessors: [new BoundedExport(exporter, settings.endpoint, listener)],
    });
    this.api = this.provider.getTracer("halftone", VERSION);
    this.sample = settings.sample;
  }

  begin(head: RequestHead, peer: ClientPeer, client: string): RequestTrace {
    const parent = incomingTrace(head.fields);
    if (!(parent?.sampled ?? Math.random() < this.sample)) {
      const { traceId, spanId } = parent ?? this.newIds();
      return new UntracedRequest(writeTraceparent({ traceId, spanId, sampled: false }), parent !== undefined);
    }
    const context = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
    const attributes = attributesOf(head, peer, client);
    const span = this.api.startSpan(head.method, { kind: SpanKind.SERVER, attributes }, context);
    return new TracedRequest(this.api, span, context, head, parent !== undefined);
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WAIT);
    });
    await Promise.race([this.provider.shutdown().catch(() => {}), late]);
    clearTimeout(timer);
  }

  private newIds(): { readonly traceId: string; readonly spanId: string } {
    return { traceId: this.ids.generateTraceId(), spanId: this.ids.generateSpanId() };
  }
}

/** Those behind only hear that they are not to trace it. */
class UntracedRequest implements RequestTrace {
  readonly sampled = false;
  readonly parent: string;
  readonly continues: boolean;

  constructor(parent: string, continues: boolean) {
    this.parent = parent;
    this.continues = continues;
  }

  tryBegins(): void {}
  tryAnswered(): void {}
  tryFailed(): void {}
  tryEnds(): void {}
  ends(): void {}
}

class TracedRequest implements RequestTrace {
  readonly sampled = true;
  readonly continues: boolean;
  parent: string;
  private readonly api: OtelApi;
  private readonly span: Span;
  private readonly context: Context;
  private readonly method: string;
  private readonly path: string;
  /** Of the try under way. */
  private attempt: Span | undefined;

  constructor(api: OtelApi, span: Span, context: Context, head: RequestHead, continues: boolean) {
    this.api = api;
    this.span = span;
    this.continues = continues;
    this.context = trace.setSpan(context, span);
    this.method = head.method;
    this.path = pathOf(head.target);
    this.parent = traceparentOf(span);
  }

  tryBegins({ server, group }: UpstreamServer, secure: boolean, again: number): void {
    const { target } = server;
    const where: Attributes =
      target.kind === "unix"
        ? { "server.address": target.path }
        : {
            "server.address": target.host,
            "server.port": target.port,
            "url.full": `${secure ? "https" : "http"}://${server.id}${this.path}`,
          };
    const attributes = {
      "http.request.method": this.method,
      ...where,
      ...(again > 0 && { "http.request.resend_count": again }),
      "halftone.group": group,
    };
    this.attempt = this.api.startSpan(this.method, { kind: SpanKind.CLIENT, attributes }, this.context);
    this.parent = traceparentOf(this.attempt);
  }

  tryAnswered(status: number): void {
    if (this.attempt === undefined) return;
    this.attempt.setAttribute("http.response.status_code", status);
    // To who asked a 4xx is an error too; to who answered it is not.
    if (status >= 400) fail(this.attempt, String(status));
  }

  tryFailed(error: string): void {
    if (this.attempt !== undefined) fail(this.attempt, error);
  }

  tryEnds(): void {
    this.attempt?.end();
    this.attempt = undefined;
  }

  ends({ app, group, rule, release, id, status, error }: LoggedRequest): void {
    const { span } = this;
    span.setAttributes({
      ...(app !== "" && { "halftone.app": app }),
      ...(group !== "" && { "halftone.group": group }),
      ...(rule !== undefined && { "halftone.rule": rule.kind }),
      ...(release !== "" && { "halftone.release": release }),
      "halftone.request_id": id,
      ...(status > 0 && { "http.response.status_code": status }),
    });
    if (status >= 500 || error === "cut") fail(span, error === "" ? String(status) : error);
    else if (error !== "") span.setAttribute("error.type", error);
    span.end();
  }
}

function contextOf({ traceId, spanId, sampled, state }: IncomingTrace): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(state !== "" && { traceState: createTraceState(state) }),
  });
}

function attributesOf(head: RequestHead, peer: ClientPeer, client: string): Attributes {
  const { host, port } = authorityOf(head.host);
  const agent = head.fields.get("user-agent");
  return {
    "http.request.method": head.method,
    "url.scheme": peer.secure ? "https" : "http",
    // Queries often carry what nobody should read.
    "url.path": pathOf(head.target),
    "server.address": host,
    ...(port !== undefined && { "server.port": port }),
    "client.address": client,
    "network.peer.address": peer.address,
    "network.protocol.name": "http",
    "network.protocol.version": peer.http2 === true ? "2" : `1.${head.minor}`,
    ...(agent !== undefined && { "user_agent.original": agent }),
  };
}

function authorityOf(authority: string): { readonly host: string; readonly port: number | undefined } {
  const [, host = authority, port] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? [];
  return { host, port: port === undefined ? undefined : Number(port) };
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return writeTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 });
}

function fail(span: Span, type: string): void {
  span.setAttribute("error.type", type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}
