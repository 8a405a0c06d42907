import type { JSX } from "preact";
import { t } from "../text/translate.ts";

const DOTS = 12;
const RADIUS = 18;

/** The testers, apart from the draw: a ring of dots, dark while they are on the new version. */
export function TestersRing({ isOnNew }: { readonly isOnNew: boolean }): JSX.Element {
  const label = t(isOnNew ? "testers.onNew" : "testers.onOld");
  return (
    <svg class={`ring ${isOnNew ? "on" : ""}`} viewBox="-24 -24 48 48" role="img" aria-label={label}>
      <title>{label}</title>
      {Array.from({ length: DOTS }, (_, dot) => {
        const angle = (dot / DOTS) * Math.PI * 2;
        return (
          <circle
            key={dot}
            cx={RADIUS * Math.cos(angle)}
            cy={RADIUS * Math.sin(angle)}
            r={isOnNew ? 4 : 1.8}
          />
        );
      })}
    </svg>
  );
}
