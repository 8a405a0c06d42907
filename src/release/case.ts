import type { Evidence } from "../core/verdict/evidence.ts";
import { isRecord } from "../directory/sealed-json.ts";
import type { VerdictReport } from "./verdict-report.ts";

/** Number of the form in which cases are kept; another one is not read, and the evidence begins anew. */
const CASE_FORMAT = 1;

/** All that is known of how a version under release does: plain JSON, kept after each window. */
export interface Case {
  readonly release: string;
  /** Whose turn it is, how many servers were found broken before, and which step: other evidence belongs to each. */
  readonly group: string;
  readonly quarantined: number;
  readonly step: number;
  /** The newest window that was judged. */
  readonly lastWindow: number;
  readonly evidence: Evidence;
  /** Clients, testers apart, who met an error of the new version; about, where not all clients are counted. */
  readonly users: number;
  /** Their requests to the new version, and how many failed. */
  readonly testers: readonly [requests: number, failed: number];
  /** The last one; null: there was none yet. */
  readonly report: VerdictReport | null;
}

export function keptCase(kept: Case): unknown {
  return { format: CASE_FORMAT, ...kept };
}

/** Undefined: another version of this program wrote it. */
export function readCase(kept: unknown): Case | undefined {
  return isRecord(kept) && kept["format"] === CASE_FORMAT ? (kept as unknown as Case) : undefined;
}
