import type { JSX } from "preact";
import type { ReleaseJson } from "../../../src/admin/release-schemas.ts";
import type { PlanStep } from "../../../src/core/release-plan.ts";
import { type Stop, stopsOf } from "../../../src/core/release-stops.ts";
import { duration, percent } from "../text/format.ts";
import { phaseInWords } from "../text/release-text.ts";
import { t } from "../text/translate.ts";

/** What was, is and comes of every group, and where the way back stops being cheap. */
export function Course({ view }: { readonly view: ReleaseJson }): JSX.Element {
  const goesBack = view.status === "rollingBack" || view.status === "rolledBack";
  return (
    <div class="course">
      {view.groups.map(({ name, condition, serves }, turn) => (
        <div key={name}>
          {turn === 1 && !goesBack && (
            <ReturnMark isCheap={view.cheapReturn} isOver={view.status === "done"} />
          )}
          <div class={`course-group ${view.group === name ? "current" : ""}`}>
            <h3>
              {name}{" "}
              <small>
                {t(`condition.${condition}`)}, {t(`serves.${serves}`)}
              </small>
            </h3>
            <Stops stops={stopsOf(view, name)} view={view} />
          </div>
        </div>
      ))}
    </div>
  );
}

/** Before it one word brings everybody back; after it groups have to be restored one by one. */
function ReturnMark({
  isCheap,
  isOver,
}: {
  readonly isCheap: boolean;
  readonly isOver: boolean;
}): JSX.Element {
  return (
    <p class={`return-mark ${isCheap ? "ahead" : "behind"}`}>
      <span>{t(isCheap ? "return.cheap" : isOver ? "return.over" : "return.costly")}</span>
    </p>
  );
}

function Stops({
  stops,
  view,
}: {
  readonly stops: readonly Stop[];
  readonly view: ReleaseJson;
}): JSX.Element {
  return (
    <ol class="stops">
      {stops.map(({ phase, mark }) => (
        <li key={phase ?? "old"} class={mark} aria-current={mark === "is" ? "step" : undefined}>
          <span class="dot" aria-hidden="true" />
          <span class="name">{phase === null ? t("phase.stays") : phaseInWords(phase)}</span>
          <span class="spoken"> ({t(`mark.${mark}`)})</span>
          {phase === "shifting" && (
            <Shares steps={view.plan.steps} now={mark === "was" ? 101 : mark === "is" ? view.share : -1} />
          )}
        </li>
      ))}
    </ol>
  );
}

interface SharesProps {
  readonly steps: readonly PlanStep[];
  /** Percentage reached; -1: it did not begin. */
  readonly now: number;
}

/** The shares of the plan, and what ends each. */
export function Shares({ steps, now }: SharesProps): JSX.Element {
  return (
    <ol class="shares">
      {steps.map((step) => {
        if (step.kind !== "share") return null;
        const mark = step.share < now ? "was" : step.share === now ? "is" : "comes";
        return (
          <li key={step.share} class={mark} title={waitOfStep(step)}>
            {percent(step.share)}
            <span class="spoken">, {waitOfStep(step)}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** "for 2 min", "until a person says continue". */
export function waitOfStep({ wait }: PlanStep): string {
  if (wait.until === "time") return t("step.for", { time: duration(wait.for) });
  if (wait.until === "verdict") return t("step.verdict", { time: duration(wait.atMost) });
  return t("step.continue");
}
