import type { AppSummary } from "../../../src/admin/schemas.ts";

/** What needs a look, the most urgent last. */
export const ATTENTION = ["quiet", "byHand", "running", "failing", "waiting", "goingBack"] as const;

export type Attention = (typeof ATTENTION)[number];

export interface AttentionFacts {
  readonly summary: Pick<AppSummary, "deploy" | "release">;
  /** Of the last second, 0 to 1. */
  readonly failing: number;
  readonly down: number;
}

/** Part of the requests that fail from which on somebody should look. */
const FAILING = 0.01;

export function attentionOf({ summary: { deploy, release }, failing, down }: AttentionFacts): Attention {
  if (release?.status === "rollingBack") return "goingBack";
  if (release?.status === "paused") return "waiting";
  if (release?.status === "running" && release.waitingFor === "continue") return "waiting";
  if (failing >= FAILING || down > 0) return "failing";
  if (release?.status === "running") return "running";
  return deploy === 0 ? "quiet" : "byHand";
}

export function urgency(attention: Attention): number {
  return ATTENTION.indexOf(attention);
}
