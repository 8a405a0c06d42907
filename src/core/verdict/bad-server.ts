import { signalEvidence, type Evidence } from "./evidence.ts";
import { lnMean, lnSum } from "./log-space.ts";
import { BROKEN_TEST, lnEvidence, UNEQUAL } from "./risk-test.ts";
import type { VerdictSettings } from "./verdict-settings.ts";

/**
 * How much evidence that one server is unlike its siblings is enough to name it. Far less than a release is rolled back by,
 * as the mistake is small: a server more is out, and the version is judged anew without it. In simulations (`docs/verdicts.md`)
 * a server was named in 2 to 4 % of the releases whose version was bad on all servers.
 */
const ENOUGH = 2;

/**
 * The server that is to blame when the group is found worse, if it is one server and not the version:
 *
 * - without it the evidence collapses: had it never been in the group, the group's ln E would be less than half of what is
 *   needed;
 * - and it is unlike its siblings: the mean over the servers of the evidence for that is an E against "all servers are
 *   alike". The first rule alone would pick the one that by chance had most of the first few errors.
 *
 * Undefined also for a group of one server, which has nobody to differ from.
 */
export function findBadServer(settings: VerdictSettings, evidence: Evidence): string | undefined {
  const weights = settings.signals.map(({ weight }) => weight);
  const signals = settings.signals.map((signal) => signalEvidence(evidence, signal));
  const names = [...new Set(signals.flatMap(({ servers }) => Object.keys(servers)))];
  const suspects = names.map((name) => {
    const alone = signals.map(({ servers }) => {
      const server = servers[name];
      return server === undefined ? 0 : lnEvidence(BROKEN_TEST, server.alone);
    });
    return { name, lnAlone: lnMean(alone, weights) };
  });
  const lnBroken = lnSum(suspects.map(({ lnAlone }) => lnAlone)) - Math.log(suspects.length);
  if (suspects.length === 0 || lnBroken < Math.log(ENOUGH)) return undefined;
  const { name } = suspects.reduce((worst, one) => (one.lnAlone > worst.lnAlone ? one : worst));
  const lnWithout = lnMean(
    signals.map(({ servers, unequal }) => lnEvidence(UNEQUAL, servers[name]?.without ?? unequal)),
    weights,
  );
  return lnWithout < -Math.log(settings.alpha) / 2 ? name : undefined;
}
