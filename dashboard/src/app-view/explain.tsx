import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Explanation } from "../../../src/admin/explain.ts";
import { type ApiProblem, appPath, call } from "../data/api.ts";
import { ProblemNotice } from "../parts/problem-notice.tsx";
import { number, percent } from "../text/format.ts";
import { t } from "../text/translate.ts";
import { headersOf } from "./explain-request.ts";

/** Where a request would go, and the rule that decides. */
export function Explain({ app }: { readonly app: string }): JSX.Element {
  const ip = useSignal("");
  const headers = useSignal("");
  const cookies = useSignal("");
  const found = useSignal<Explanation | undefined>(undefined);
  const problem = useSignal<ApiProblem | undefined>(undefined);
  const ask = async (): Promise<void> => {
    const answer = await call<Explanation>(appPath(app, "/explain"), {
      method: "POST",
      body: { ip: ip.value.trim(), headers: headersOf(headers.value, cookies.value) },
    });
    found.value = answer.ok ? answer.value : undefined;
    problem.value = answer.ok ? undefined : answer.problem;
  };
  const ipProblem = problem.value?.problems?.find(({ path }) => path === "ip");
  return (
    <section class="panel" aria-labelledby="explain">
      <h2 id="explain">{t("explain.title")}</h2>
      <p class="quiet">{t("explain.what")}</p>
      <form
        class="fields-form"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <label>
          <span>{t("explain.ip")}</span>
          <input
            value={ip.value}
            required
            spellcheck={false}
            placeholder="10.1.2.3"
            aria-invalid={ipProblem !== undefined}
            aria-describedby={ipProblem === undefined ? undefined : "ip-problem"}
            onInput={({ currentTarget }) => (ip.value = currentTarget.value)}
          />
          {ipProblem !== undefined && (
            <span class="field-problem" id="ip-problem" lang="en">
              found {ipProblem.found}, expected {ipProblem.expected}
            </span>
          )}
        </label>
        <label>
          <span>{t("explain.headers")}</span>
          <textarea
            rows={3}
            value={headers.value}
            spellcheck={false}
            placeholder="x-tester: 1"
            onInput={({ currentTarget }) => (headers.value = currentTarget.value)}
          />
        </label>
        <label>
          <span>{t("explain.cookies")}</span>
          <textarea
            rows={3}
            value={cookies.value}
            spellcheck={false}
            placeholder="uid=42"
            onInput={({ currentTarget }) => (cookies.value = currentTarget.value)}
          />
        </label>
        <div class="buttons">
          <button type="submit" class="primary">
            {t("explain.ask")}
          </button>
        </div>
      </form>
      {problem.value !== undefined && ipProblem === undefined && <ProblemNotice problem={problem.value} />}
      <div aria-live="polite">{found.value !== undefined && <Way found={found.value} />}</div>
    </section>
  );
}

/** The questions in their order, and the one that decided. */
function Way({ found }: { readonly found: Explanation }): JSX.Element {
  const { rule, deploy, share, groups, pool, sentence } = found;
  const place = rule.kind === "share" || rule.kind === "public" ? rule.bucket : undefined;
  const testers = rule.kind === "tester" ? t("yes") : deploy === 0 ? undefined : t("no");
  return (
    <div class="way">
      <p class="sentence" lang="en">
        {sentence}
      </p>
      <ol class="questions">
        <li class={deploy === 0 ? "decides" : ""}>
          {t("explain.isUpdated")} <strong>{deploy === 0 ? t("no") : t("yes")}</strong>
        </li>
        {testers !== undefined && (
          <li class={rule.kind === "tester" ? "decides" : ""}>
            {t("explain.isTester")} <strong>{testers}</strong>
          </li>
        )}
        {deploy !== 0 && rule.kind !== "tester" && (
          <li class="decides">
            {place === undefined
              ? t("explain.noDraw", { share: percent(share) })
              : t("explain.draw", { place: place.toFixed(2), share: percent(share) })}
            {place !== undefined && <Draw place={place} share={share} />}
          </li>
        )}
      </ol>
      <p>
        {t("explain.goesTo")} <strong>{groups.join(", ")}</strong>
      </p>
      <ul class="pool">
        {pool.map(({ server, group, weight }) => (
          <li key={server}>
            <code>{server}</code> {group}, {t("server.weight")} {number(weight)}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The draw as a line from 0 to 100, its dark part the share, and the client's place in it. */
function Draw({ place, share }: { readonly place: number; readonly share: number }): JSX.Element {
  return (
    <svg class="draw" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="all" x="0" y="2" width="100" height="4" />
      <rect class="part" x="0" y="2" width={share} height="4" />
      <rect class="client" x={place - 0.4} y="0" width="0.8" height="8" />
    </svg>
  );
}
