import type { AppDocument, TallyDocument } from "../config/app-document.ts";
import { outstanding } from "../core/release-effects.ts";
import { isOver, type ReleaseState } from "../core/release-state.ts";

/** The keys of a document that belong to a release while one runs. */
export const ROUTED_KEYS = ["deploy", "share", "testing", "standby", "ramp", "draw", "tally"] as const;

/** The document as the release wants it routed: stored together with the state, as one change. */
export function routeDocument(document: AppDocument, state: ReleaseState): AppDocument {
  const rest: Record<string, unknown> = { ...document };
  for (const key of ROUTED_KEYS) delete rest[key];
  const { deploy, share, testing, standby } = state.routing;
  const { verdict } = state.plan;
  const ramp = Object.fromEntries(
    outstanding(state).flatMap((effect) =>
      effect.kind === "weight" ? [[effect.group, Math.max(1, Math.round(effect.factor * 100))]] : [],
    ),
  );
  return {
    ...(rest as unknown as AppDocument),
    deploy,
    share,
    ...(!testing && { testing }),
    ...(standby.length > 0 && { standby }),
    ...(Object.keys(ramp).length > 0 && { ramp }),
    ...(!isOver(state) && { draw: state.id }),
    ...(!isOver(state) && verdict.settings.signals.length > 0 && { tally: tallyOf(state) }),
  };
}

function tallyOf({ plan, slower }: ReleaseState): TallyDocument {
  const { window } = plan.verdict;
  return {
    window: window % 1000 === 0 ? `${window / 1000}s` : `${window}ms`,
    ...(slower !== null && { slower }),
  };
}

/** The document with further servers in quarantine; what people have put there or lifted stays. */
export function quarantine(document: AppDocument, servers: readonly string[]): AppDocument {
  const known = document.quarantine ?? [];
  const all = new Set([...known, ...servers]);
  return all.size === known.length ? document : { ...document, quarantine: [...all] };
}

/** The same document if the server is not in quarantine. */
export function lift(document: AppDocument, server: string): AppDocument {
  const { quarantine: known = [], ...rest } = document;
  const left = known.filter((one) => one !== server);
  if (left.length === known.length) return document;
  return left.length === 0 ? rest : { ...rest, quarantine: left };
}
