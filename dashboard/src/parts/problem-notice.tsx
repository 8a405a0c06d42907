import type { JSX } from "preact";
import type { ApiProblem } from "../data/api.ts";
import { t } from "../text/translate.ts";

/** Why something was not done, as the gateway says it; its own words are English. */
export function ProblemNotice({ problem }: { readonly problem: ApiProblem }): JSX.Element {
  const { status, title, detail, refusals = [] } = problem;
  return (
    <div class="notice bad" role="alert">
      <strong>{status === 0 ? t("problem.unreachable") : t("problem.refused")}</strong>
      {refusals.length > 0 ? (
        <ul lang="en">
          {refusals.map(({ reason }) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      ) : (
        <p lang="en">{[title, detail].filter((part) => part !== "").join(": ")}</p>
      )}
    </div>
  );
}
