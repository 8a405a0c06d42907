import type { JSX } from "preact";
import { courseOf } from "../../../src/core/release-course.ts";
import type { ReleasePlan } from "../../../src/core/release-plan.ts";
import { Shares, waitOfStep } from "../app-view/course.tsx";
import { percent } from "../text/format.ts";
import { phaseInWords } from "../text/release-text.ts";
import { t } from "../text/translate.ts";

export interface PlanPreviewProps {
  readonly groups: readonly string[];
  readonly plan: ReleasePlan;
}

/** The way a release would go by its plan, group by group. */
export function PlanPreview({ groups, plan }: PlanPreviewProps): JSX.Element {
  const course = courseOf({ groups: groups.map((name) => ({ name })), plan });
  const waitOf = (phase: string): string | undefined => {
    const kind = phase === "testing" ? "testers" : phase === "holding" ? "hold" : undefined;
    const step = plan.steps.find((one) => one.kind === kind);
    return step === undefined ? undefined : waitOfStep(step);
  };
  return (
    <div class="course">
      {groups.map((group, turn) => (
        <div key={group}>
          {turn === 1 && (
            <p class="return-mark ahead">
              <span>{t("return.cheap")}</span>
            </p>
          )}
          <div class="course-group">
            <h3>{group}</h3>
            <ol class="stops">
              {course
                .filter((station) => station.group === group)
                .map(({ phase }) => (
                  <li key={phase} class="comes">
                    <span class="dot" aria-hidden="true" />
                    <span class="name">{phaseInWords(phase)}</span>
                    {waitOf(phase) !== undefined && <small class="quiet">{waitOf(phase)}</small>}
                    {phase === "shifting" && <Shares steps={plan.steps} now={-1} />}
                  </li>
                ))}
            </ol>
          </div>
        </div>
      ))}
      <p class="quiet">{t("preview.capacity", { share: percent(plan.minCapacity) })}</p>
    </div>
  );
}
