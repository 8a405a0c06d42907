import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { type ApiProblem, call } from "../data/api.ts";
import { isOperator } from "../data/session.ts";
import { ProblemNotice } from "../parts/problem-notice.tsx";
import { useResource } from "../parts/use-resource.ts";
import { appHref } from "../route.ts";
import { t } from "../text/translate.ts";

interface Demo {
  readonly app: string;
  readonly scenarios: readonly { readonly id: string; readonly title: string; readonly expect: string }[];
}

/** What `halftone demo` can show, begun by a click. */
export function DemoBar(): JSX.Element | null {
  const { value } = useResource<Demo>("/demo");
  const chosen = useSignal<string | undefined>(undefined);
  const problem = useSignal<ApiProblem | undefined>(undefined);
  if (value === undefined || !isOperator.value) return null;
  const play = async (id: string): Promise<void> => {
    const answer = await call(`/demo/${id}`, { method: "POST" });
    problem.value = answer.ok ? undefined : answer.problem;
    if (!answer.ok) return;
    chosen.value = id;
    location.hash = appHref(value.app);
  };
  const expected = value.scenarios.find(({ id }) => id === chosen.value)?.expect;
  return (
    <section class="demo" aria-label={t("demo.title")}>
      <strong>{t("demo.title")}</strong>
      <div class="buttons" lang="en">
        {value.scenarios.map(({ id, title, expect }) => (
          <button key={id} type="button" class="small" title={expect} onClick={() => void play(id)}>
            {title}
          </button>
        ))}
      </div>
      {expected !== undefined && (
        <p class="quiet" role="status" lang="en">
          {expected}
        </p>
      )}
      {problem.value !== undefined && <ProblemNotice problem={problem.value} />}
    </section>
  );
}
