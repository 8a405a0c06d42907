import { Field, type FieldTable } from "../http1/field-table.ts";

/** What `traceparent` says (W3C Trace Context, level 1). */
export interface TraceParent {
  /** 32 hexadecimal digits, not all of them 0. */
  readonly traceId: string;
  /** 16. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** The trace that a request belongs to. */
export interface IncomingTrace extends TraceParent {
  /** Of all fields `tracestate` together; "": there are none. */
  readonly state: string;
}

const FORM = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:$|-)/;

/** Undefined: none, or one that is malformed; then nothing that came with it counts either (section 4.3). */
export function incomingTrace(fields: FieldTable): IncomingTrace | undefined {
  const parents = valuesOf(fields, Field.TRACEPARENT);
  const parent = parents.length === 1 ? readTraceparent(parents[0]!) : undefined;
  return parent && { ...parent, state: valuesOf(fields, Field.TRACESTATE).join(",") };
}

/** Of versions to come the part that is known is taken. */
export function readTraceparent(value: string): TraceParent | undefined {
  const [, version, traceId = "", spanId = "", flags = ""] = FORM.exec(value) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && value.length !== 55))
    return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function writeTraceparent({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

function valuesOf(fields: FieldTable, kind: number): readonly string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.count; i++) if (fields.kind[i] === kind) values.push(fields.value(i));
  return values;
}
