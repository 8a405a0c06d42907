import type { AppDocument } from "../config/app-document.ts";
import { outstanding } from "../core/release-effects.ts";
import { isOver, type ReleaseState } from "../core/release-state.ts";

/** The keys of a document that belong to a release while one runs. */
export const ROUTED_KEYS = ["deploy", "share", "testing", "standby", "ramp", "draw"] as const;

/** The document as the release wants it routed: stored together with the state, as one change. */
export function routeDocument(document: AppDocument, state: ReleaseState): AppDocument {
  const rest: Record<string, unknown> = { ...document };
  for (const key of ROUTED_KEYS) delete rest[key];
  const { deploy, share, testing, standby } = state.routing;
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
  };
}
