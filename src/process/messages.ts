import type { GatewaySettings, ListenAddress } from "../config/gateway-settings.ts";
import type { TallyReport } from "../core/verdict/tally.ts";
import type { RevisedDocument } from "../gateway/app-table.ts";
import type { HealthFinding, ServerStatus } from "../gateway/server-status.ts";
import type { AppNews } from "../gateway/group-totals.ts";
import type { ProcessReport } from "../gateway/process-report.ts";
import type { TlsMaterial } from "../gateway/tls-material.ts";

/** How a worker learns that another supervisor took over: `file` then holds another id. */
export interface SupervisorMark {
  readonly id: string;
  readonly file: string;
  /** The supervisor before this one did not stop in order: its workers may still hold the addresses for a moment. */
  readonly followsCrash: boolean;
}

/**
 * What supervisor and workers say to each other, as JSON over the IPC channel. A message with `id` is a question: the
 * worker answers it with `done`, `refused`, `servers` or `news` of the same id.
 */
export type ToWorker =
  /** The first message: everything a worker needs to carry traffic. */
  | {
      readonly type: "start";
      readonly settings: GatewaySettings;
      readonly tls: TlsMaterial;
      readonly apps: readonly RevisedDocument[];
      readonly supervisor: SupervisorMark;
    }
  | { readonly type: "putApp"; readonly id: number; readonly app: RevisedDocument }
  | { readonly type: "deleteApp"; readonly id: number; readonly name: string }
  | {
      readonly type: "reconfigure";
      readonly id: number;
      readonly settings: GatewaySettings;
      readonly tls: TlsMaterial;
    }
  | { readonly type: "servers"; readonly id: number; readonly app: string }
  | { readonly type: "news"; readonly id: number }
  | { readonly type: "finding"; readonly finding: HealthFinding }
  | { readonly type: "drain" };

export type FromWorker =
  /** It listens to messages now; what was sent before is lost, as cluster reads the channel from the first moment on. */
  | { readonly type: "up" }
  | { readonly type: "ready"; readonly bound: readonly ListenAddress[] }
  /** It cannot start: the reason is for people. */
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "done"; readonly id: number }
  /** The new settings are in force. */
  | { readonly type: "reconfigured"; readonly id: number; readonly bound: readonly ListenAddress[] }
  | { readonly type: "refused"; readonly id: number; readonly reason: string }
  | { readonly type: "servers"; readonly id: number; readonly servers: readonly ServerStatus[] }
  | {
      readonly type: "news";
      readonly id: number;
      readonly process: ProcessReport;
      /** Of those for which anything happened since the last such answer. */
      readonly apps: readonly (readonly [string, AppNews])[];
      /** Of apps under release: what was counted since then for their verdicts. */
      readonly tallies: readonly (readonly [string, TallyReport])[];
    }
  | { readonly type: "finding"; readonly finding: HealthFinding }
  | { readonly type: "error"; readonly message: string };
