import type { OpenTracer } from "../gateway/request-trace.ts";

/** What is of OpenTelemetry is loaded only where traces are wanted. */
export const openTracer: OpenTracer = async (settings, listener) => {
  const { OtelTracer } = await import("./otel-tracer.ts");
  return new OtelTracer(settings, listener);
};
