import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import type { AppDocument } from "../../../src/config/app-document.ts";
import type { PreviewJson, ReleaseJson } from "../../../src/admin/release-schemas.ts";
import { type ApiProblem, appPath, call } from "../data/api.ts";
import type { AppCell } from "../data/app-cell.ts";
import { connection } from "../data/feed.ts";
import { takeRelease } from "../data/live.ts";
import { isOperator } from "../data/session.ts";
import { ProblemNotice } from "../parts/problem-notice.tsx";
import { useResource } from "../parts/use-resource.ts";
import { appHref } from "../route.ts";
import { t } from "../text/translate.ts";
import { PlanPreview } from "./plan-preview.tsx";
import { PlanRows } from "./plan-rows.tsx";
import { DEFAULT_ROWS, rowsOf, type StepRow, stepsOf } from "./step-rows.ts";

/** Ms without typing after which the gateway is asked what it would say. */
const PAUSE = 300;
/** What is shown before a version was named: the API wants one. */
const UNNAMED = "?";

/** A release before it begins: its plan, and everything that speaks against it now. */
export function StartForm({ cell }: { readonly cell: AppCell }): JSX.Element {
  cell.watch();
  const { name: app, groups: appGroups, revision, release } = cell.summary;
  const { value: document } = useResource<AppDocument>(appPath(app), revision);
  const version = useSignal("");
  const order = useSignal<readonly string[]>(appGroups);
  const rows = useSignal<readonly StepRow[] | undefined>(undefined);
  const update = useSignal<string | undefined>(undefined);
  const restore = useSignal<string | undefined>(undefined);
  const preview = useSignal<PreviewJson | undefined>(undefined);
  const problem = useSignal<ApiProblem | undefined>(undefined);
  const isBusy = useSignal(false);
  const planned = document?.release?.steps;
  const shownRows = rows.value ?? (planned === undefined ? DEFAULT_ROWS : rowsOf(planned));
  const body = {
    version: version.value.trim() === "" ? UNNAMED : version.value.trim(),
    groups: order.value,
    ...(rows.value !== undefined && { steps: stepsOf(rows.value) }),
    ...(update.value !== undefined && { update: update.value }),
    ...(restore.value !== undefined && { restore: restore.value }),
  };
  const key = JSON.stringify([body, revision, release?.status, connection.value.kind]);
  useEffect(() => {
    let isWanted = true;
    const timer = setTimeout(() => {
      void call<PreviewJson>(appPath(app, "/release/preview"), { method: "POST", body }).then((answer) => {
        if (!isWanted) return;
        preview.value = answer.ok ? answer.value : undefined;
        problem.value = answer.ok ? undefined : answer.problem;
      });
    }, PAUSE);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [app, key]);
  const refusals = preview.value?.refusals ?? [];
  const plan = preview.value?.plan ?? null;
  const obstacle = obstacleNow(version.value, preview.value);
  const begin = async (): Promise<void> => {
    if (obstacle !== undefined) return;
    isBusy.value = true;
    const answer = await call<ReleaseJson>(appPath(app, "/release"), { method: "POST", body });
    isBusy.value = false;
    if (!answer.ok) {
      problem.value = answer.problem;
      return;
    }
    takeRelease(answer.value);
    location.hash = appHref(app);
  };
  const hooks = preview.value?.hooks ?? [];
  return (
    <form
      class="start"
      onSubmit={(event) => {
        event.preventDefault();
        void begin();
      }}
    >
      <section class="panel" aria-labelledby="start">
        <h2 id="start">{t("start.title")}</h2>
        <label>
          <span>{t("start.version")}</span>
          <input
            value={version.value}
            required
            maxLength={128}
            spellcheck={false}
            onInput={({ currentTarget }) => (version.value = currentTarget.value)}
          />
        </label>
        <GroupOrder groups={order.value} onChange={(groups) => (order.value = groups)} />
        <div class="pair">
          <HookSelect
            label={t("start.update")}
            hooks={hooks}
            value={update.value ?? document?.release?.update}
            onChange={(hook) => (update.value = hook)}
          />
          <HookSelect
            label={t("start.restore")}
            hooks={hooks}
            value={restore.value ?? document?.release?.restore}
            onChange={(hook) => (restore.value = hook)}
          />
        </div>
        <PlanRows rows={shownRows} onChange={(changed) => (rows.value = changed)} />
      </section>
      <section class="panel preview" aria-labelledby="preview">
        <h2 id="preview">{t("preview.title")}</h2>
        {plan !== null && <PlanPreview groups={order.value} plan={plan} />}
        <div aria-live="polite">
          {preview.value !== undefined && refusals.length === 0 && (
            <p class="notice good">{t("preview.fine")}</p>
          )}
          {refusals.length > 0 && (
            <div class="notice bad">
              <strong>{t("preview.refused")}</strong>
              <ul lang="en">
                {refusals.map(({ reason }) => (
                  <li key={reason}>{reason}</li>
                ))}
              </ul>
            </div>
          )}
        </div>
        {problem.value !== undefined && <ProblemNotice problem={problem.value} />}
        {(problem.value?.problems ?? []).map(({ path, found, expected }) => (
          <p key={path} class="field-problem" lang="en">
            <code>{path}</code> found {found}, expected {expected}
          </p>
        ))}
        <div class="buttons">
          <button
            type="submit"
            class="primary"
            aria-disabled={obstacle !== undefined || isBusy.value}
            aria-describedby={obstacle === undefined ? undefined : "start-obstacle"}
          >
            {t("start.begin")}
          </button>
        </div>
        {obstacle !== undefined && (
          <p class="why" id="start-obstacle">
            {obstacle}
          </p>
        )}
      </section>
    </form>
  );
}

function obstacleNow(version: string, preview: PreviewJson | undefined): string | undefined {
  if (!isOperator.value) return t("obstacle.role");
  if (connection.value.kind === "lost") return t("obstacle.lost");
  if (version.trim() === "") return t("start.noVersion");
  if (preview === undefined) return t("loading");
  return preview.refusals.length > 0 ? t("start.refused") : undefined;
}

interface HookSelectProps {
  readonly label: string;
  readonly hooks: readonly string[];
  readonly value: string | undefined;
  readonly onChange: (hook: string) => void;
}

function HookSelect({ label, hooks, value, onChange }: HookSelectProps): JSX.Element {
  // One that the document names but nobody configured is shown too: the preview says what is wrong with it.
  const shown = value === undefined || hooks.includes(value) ? hooks : [...hooks, value];
  return (
    <label>
      <span>{label}</span>
      <select
        value={value ?? ""}
        disabled={shown.length === 0}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        {value === undefined && <option value="">{t("start.person")}</option>}
        {shown.map((hook) => (
          <option key={hook} value={hook}>
            {hook}
          </option>
        ))}
      </select>
    </label>
  );
}

interface GroupOrderProps {
  readonly groups: readonly string[];
  readonly onChange: (groups: readonly string[]) => void;
}

function GroupOrder({ groups, onChange }: GroupOrderProps): JSX.Element {
  const moved = (index: number): readonly string[] =>
    groups.map((group, place) =>
      place === index ? groups[index - 1]! : place === index - 1 ? groups[index]! : group,
    );
  return (
    <fieldset>
      <legend>{t("start.groups")}</legend>
      <ol class="order">
        {groups.map((group, index) => (
          <li key={group}>
            <span>{group}</span>
            {index > 0 && (
              <button
                type="button"
                class="small"
                aria-label={t("start.earlier.of", { group })}
                onClick={() => onChange(moved(index))}
              >
                ↑ {t("start.earlier")}
              </button>
            )}
          </li>
        ))}
      </ol>
    </fieldset>
  );
}
