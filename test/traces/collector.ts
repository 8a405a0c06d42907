import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { eventually } from "../gateway/harness.ts";

/** A span as it came over the wire. */
export interface SpanSeen {
  readonly traceId: string;
  readonly spanId: string;
  /** "": a root. */
  readonly parentId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  /** Ms since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly failed: boolean;
  readonly service: string;
}

/** A collector of OTLP over HTTP: takes protobuf, by a reader that is not the exporter's. */
export interface Collector {
  readonly endpoint: string;
  readonly spans: readonly SpanSeen[];
  /** Of each export. */
  readonly requests: readonly IncomingHttpHeaders[];
  /** From now on; default 200. Null: no answer at all. */
  answer: number | null;
  /** Waits for so many; a server's span comes before those of its tries. */
  seen(count: number): Promise<readonly SpanSeen[]>;
}

export async function startCollector(): Promise<Collector> {
  const spans: SpanSeen[] = [];
  const requests: IncomingHttpHeaders[] = [];
  const server = createServer((incoming, response) => void take(incoming, response));
  async function take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    if (collector.answer === null) return;
    requests.push(incoming.headers);
    if (collector.answer === 200) spans.push(...spansOf(Buffer.concat(chunks)));
    response.writeHead(collector.answer).end();
  }
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const collector: Collector = {
    endpoint: `http://127.0.0.1:${port}/v1/traces`,
    spans,
    requests,
    answer: 200,
    seen: async (count) => {
      await eventually(() => spans.length >= count, `${count} spans`);
      const kinds = ["server", "client", "internal"];
      return spans.toSorted((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || a.start - b.start);
    },
  };
  return collector;
}

type Value = bigint | Buffer;

/** Fields of a message by their numbers (protobuf.dev/programming-guides/encoding). */
function fieldsOf(bytes: Buffer): ReadonlyMap<number, readonly Value[]> {
  const fields = new Map<number, Value[]>();
  let at = 0;
  const varint = (): bigint => {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      shift += 7n;
    }
  };
  const take = (length: number): Buffer => bytes.subarray(at, (at += length));
  while (at < bytes.length) {
    const tag = Number(varint());
    const value = ((): Value => {
      switch (tag & 7) {
        case 0:
          return varint();
        case 1:
          return take(8).readBigUInt64LE();
        case 2:
          return take(Number(varint()));
        case 5:
          return BigInt(take(4).readUInt32LE());
        default:
          throw new Error(`wire type ${tag & 7}`);
      }
    })();
    const known = fields.get(tag >> 3) ?? [];
    known.push(value);
    fields.set(tag >> 3, known);
  }
  return fields;
}

function messagesOf(bytes: Buffer, number: number): readonly Buffer[] {
  return (fieldsOf(bytes).get(number) ?? []) as readonly Buffer[];
}

/** opentelemetry/proto/collector/trace/v1/trace_service.proto, and what it refers to. */
function spansOf(request: Buffer): readonly SpanSeen[] {
  return messagesOf(request, 1).flatMap((resourceSpans) => {
    const [resource = Buffer.alloc(0)] = messagesOf(resourceSpans, 1);
    const service = String(attributesOf(messagesOf(resource, 1))["service.name"]);
    return messagesOf(resourceSpans, 2)
      .flatMap((scopeSpans) => messagesOf(scopeSpans, 2))
      .map((span) => spanOf(span, service));
  });
}

const KINDS = ["internal", "internal", "server", "client"] as const;

function spanOf(bytes: Buffer, service: string): SpanSeen {
  const fields = fieldsOf(bytes);
  const bytesOf = (number: number): Buffer =>
    (fields.get(number)?.[0] as Buffer | undefined) ?? Buffer.alloc(0);
  const numberOf = (number: number): number => Number(fields.get(number)?.[0] ?? 0n);
  const status = fieldsOf(bytesOf(15));
  return {
    traceId: bytesOf(1).toString("hex"),
    spanId: bytesOf(2).toString("hex"),
    traceState: bytesOf(3).toString(),
    parentId: bytesOf(4).toString("hex"),
    name: bytesOf(5).toString(),
    kind: KINDS[numberOf(6)]!,
    start: numberOf(7) / 1e6,
    end: numberOf(8) / 1e6,
    attributes: attributesOf((fields.get(9) ?? []) as readonly Buffer[]),
    failed: status.get(3)?.[0] === 2n,
    service,
  };
}

function attributesOf(pairs: readonly Buffer[]): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const fields = fieldsOf(pair);
      const value = fieldsOf(fields.get(2)![0] as Buffer);
      const text = value.get(1)?.[0] as Buffer | undefined;
      return [String(fields.get(1)![0]), text === undefined ? Number(value.get(3)?.[0]) : text.toString()];
    }),
  );
}
