import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { ReadableSpan, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { TraceListener } from "../gateway/request-trace.ts";

/** Spans that wait or are on their way at most. */
const MOST = 2048;
const BATCH = 512;
/** How long spans are gathered, in ms. */
const GATHER = 1000;
/** As in `ExportResultCode` of @opentelemetry/core, which is needed for nothing else. */
const SUCCESS = 0;

/** Sends spans in batches; what a collector that is slow or away does not take is dropped and counted. */
export class BoundedExport implements SpanProcessor {
  private readonly batches: BatchSpanProcessor;
  private readonly listener: TraceListener;
  private waiting = 0;
  private inTrouble = false;

  /** `where`: the collector, for people. */
  constructor(exporter: SpanExporter, where: string, listener: TraceListener) {
    this.listener = listener;
    this.batches = new BatchSpanProcessor(this.counted(exporter, where), {
      maxQueueSize: MOST,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: GATHER,
    });
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.waiting >= MOST) {
      this.listener.dropped(1);
      return;
    }
    this.waiting++;
    this.batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.batches.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.batches.shutdown();
  }

  private counted(exporter: SpanExporter, where: string): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          this.waiting -= spans.length;
          const code: number = result.code;
          if (code === SUCCESS) {
            this.inTrouble = false;
            this.listener.exported(spans.length);
          } else {
            if (!this.inTrouble) this.listener.trouble(`${where}: ${result.error?.message ?? "refused"}`);
            this.inTrouble = true;
            this.listener.dropped(spans.length);
          }
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
    };
  }
}
