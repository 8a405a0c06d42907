import type { StepDocument } from "../../../src/config/app-document.ts";

/** A step of a plan as the form has it: texts, that the API judges. */
export interface StepRow {
  readonly kind: "testers" | "share" | "hold";
  /** Of a share, in per cent. */
  readonly share: string;
  readonly until: "time" | "continue" | "verdict";
  /** A duration, where the step ends by time or waits at most so long. */
  readonly length: string;
}

/** The default plan, as `core/release-plan.ts` has it. */
export const DEFAULT_ROWS: readonly StepRow[] = [
  { kind: "testers", share: "", until: "continue", length: "10m" },
  ...["1", "5", "25", "50", "100"].map((share): StepRow => ({
    kind: "share",
    share,
    until: "time",
    length: "2m",
  })),
  { kind: "hold", share: "", until: "continue", length: "10m" },
];

export function rowsOf(steps: readonly StepDocument[]): readonly StepRow[] {
  return steps.map((step): StepRow => {
    if ("testers" in step) return plainRow("testers", step.testers);
    if ("hold" in step) return plainRow("hold", step.hold);
    const share = String(step.share);
    if ("for" in step) return { kind: "share", share, until: "time", length: step.for };
    if (step.until === "verdict") return { kind: "share", share, until: "verdict", length: step.atMost };
    return { kind: "share", share, until: "continue", length: "2m" };
  });
}

function plainRow(kind: "testers" | "hold", wait: string): StepRow {
  const waits = wait === "wait";
  return { kind, share: "", until: waits ? "continue" : "time", length: waits ? "10m" : wait };
}

/** As the API takes them; what is no number stays text, so that it is refused with its name. */
export function stepsOf(rows: readonly StepRow[]): readonly unknown[] {
  return rows.map(({ kind, share, until, length }) => {
    if (kind !== "share") return { [kind]: until === "time" ? length : "wait" };
    const percentage = share.trim() !== "" && Number.isFinite(Number(share)) ? Number(share) : share;
    if (until === "time") return { share: percentage, for: length };
    return until === "verdict"
      ? { share: percentage, until, atMost: length }
      : { share: percentage, until: "continue" };
  });
}
