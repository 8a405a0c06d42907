import { NO_COUNTS, soundCounts, subtractCounts, type Comparison, type Counts } from "./counts.ts";
import { addToRiskEvidence, BROKEN_TEST, newRiskEvidence, UNEQUAL, type RiskEvidence } from "./risk-test.ts";

/** What one signal says about one server of the group under test. Plain JSON. */
export interface ServerEvidence {
  /** The evidence that the group is worse, had this server never been in it. */
  readonly without: RiskEvidence;
  /** The evidence that this server is by far worse than the others of its group. */
  readonly alone: RiskEvidence;
}

export type ServersEvidence = Readonly<Record<string, ServerEvidence>>;

/**
 * The evidence with one more window. `servers`: what of `comparison.test` was each server's. `whole` is the evidence
 * against the group before this window: for a server that was not seen before, all of it was found without it.
 */
export function addToServersEvidence(
  evidence: ServersEvidence,
  whole: RiskEvidence,
  comparison: Comparison,
  servers: Readonly<Record<string, Counts>>,
): ServersEvidence {
  const names = new Set([...Object.keys(evidence), ...Object.keys(servers)]);
  return Object.fromEntries(
    Array.from(names, (name) => {
      const { without, alone } = evidence[name] ?? { without: whole, alone: newRiskEvidence(BROKEN_TEST) };
      const own = soundCounts(servers[name] ?? NO_COUNTS);
      const others = subtractCounts(comparison.test, own);
      return [
        name,
        {
          without: addToRiskEvidence(UNEQUAL, without, { test: others, rest: comparison.rest }),
          alone: addToRiskEvidence(BROKEN_TEST, alone, { test: own, rest: others }),
        },
      ];
    }),
  );
}
