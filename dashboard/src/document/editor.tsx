import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import type { Problem } from "../../../src/config/problem.ts";
import { type ApiProblem, appPath, call } from "../data/api.ts";
import { connection, lastChange } from "../data/feed.ts";
import { isOperator } from "../data/session.ts";
import { ProblemNotice } from "../parts/problem-notice.tsx";
import { t } from "../text/translate.ts";
import { ConflictChoice } from "./conflict.tsx";
import { DiffView } from "./diff-view.tsx";
import { lineOf, placeInJson } from "./json-place.ts";
import type { JsonObject } from "./three-way.ts";

/** A document as it was read. */
interface Read {
  readonly document: JsonObject;
  readonly revision: number;
}

type Step =
  | { readonly kind: "edit" }
  | { readonly kind: "review" }
  | { readonly kind: "conflict"; readonly theirs: Read }
  | { readonly kind: "saved"; readonly revision: number };

/** The app's document: edited as JSON, looked at as a comparison, saved on top of the revision that was read. */
export function DocumentEditor({ app }: { readonly app: string }): JSX.Element {
  const base = useSignal<Read | undefined>(undefined);
  const text = useSignal("");
  const step = useSignal<Step>({ kind: "edit" });
  const problem = useSignal<ApiProblem | undefined>(undefined);
  const isBusy = useSignal(false);
  const isEdited = base.value !== undefined && text.value !== written(base.value.document);

  const take = (read: Read): void => {
    base.value = read;
    text.value = written(read.document);
    problem.value = undefined;
  };
  const load = async (): Promise<Read | undefined> => {
    const answer = await call<JsonObject>(appPath(app));
    if (answer.ok && answer.revision !== undefined)
      return { document: answer.value, revision: answer.revision };
    if (!answer.ok) problem.value = answer.problem;
    return undefined;
  };
  const change = lastChange.value?.app === app ? lastChange.value.revision : undefined;
  const isLive = connection.value.kind === "live";
  useEffect(() => {
    // What somebody is writing is not replaced under their hands.
    if (!isLive || isEdited || step.value.kind === "conflict") return;
    void load().then((read) => {
      if (read !== undefined && (base.value === undefined || text.value === written(base.value.document)))
        take(read);
    });
  }, [change, isLive]);

  const save = async (): Promise<void> => {
    if (base.value === undefined) return;
    isBusy.value = true;
    problem.value = undefined;
    const { revision } = base.value;
    const answer = await call<JsonObject>(appPath(app), { method: "PUT", body: text.value, revision });
    if (answer.ok) {
      const stored = answer.revision ?? revision + 1;
      take({ document: answer.value, revision: stored });
      step.value = { kind: "saved", revision: stored };
    } else if (answer.problem.status === 412) {
      const theirs = await load();
      if (theirs !== undefined) step.value = { kind: "conflict", theirs };
      else problem.value = answer.problem;
    } else {
      problem.value = answer.problem;
      step.value = { kind: "edit" };
    }
    isBusy.value = false;
  };

  if (base.value === undefined) {
    return problem.value === undefined ? (
      <p class="quiet">{t("loading")}</p>
    ) : (
      <ProblemNotice problem={problem.value} />
    );
  }
  const { document, revision } = base.value;
  const syntax = syntaxProblem(text.value);
  const problems = problem.value?.problems ?? [];
  return (
    <section class="panel" aria-labelledby="document">
      <h2 id="document">
        {t("document.title")} <span class="badge">{t("document.revision", { revision })}</span>
      </h2>
      <div role="status">
        {step.value.kind === "saved" && !isEdited && (
          <p class="notice good">{t("document.saved", { revision: step.value.revision })}</p>
        )}
      </div>
      {change !== undefined && change !== null && change > revision && isEdited && (
        <p class="notice warn">{t("document.newer", { revision: change })}</p>
      )}
      {step.value.kind === "conflict" ? (
        <ConflictChoice
          base={document}
          mine={JSON.parse(text.value) as JsonObject}
          theirs={step.value.theirs.document}
          revision={step.value.theirs.revision}
          onDecided={(merged) => {
            base.value = step.value.kind === "conflict" ? step.value.theirs : base.value;
            text.value = written(merged);
            step.value = { kind: "review" };
          }}
        />
      ) : step.value.kind === "review" && syntax === undefined ? (
        <>
          <DiffView before={written(document)} after={written(JSON.parse(text.value))} />
          <div class="buttons">
            <button
              type="button"
              class="primary"
              disabled={isBusy.value || !isEdited}
              onClick={() => void save()}
            >
              {t("document.save")}
            </button>
            <button type="button" onClick={() => (step.value = { kind: "edit" })}>
              {t("document.goOn")}
            </button>
          </div>
          {problem.value !== undefined && <ProblemNotice problem={problem.value} />}
        </>
      ) : (
        <>
          <TextField text={text.value} problems={problems} onInput={(written) => (text.value = written)} />
          {syntax !== undefined && (
            <p class="notice bad" lang="en">
              {syntax}
            </p>
          )}
          {problem.value !== undefined && problems.length === 0 && <ProblemNotice problem={problem.value} />}
          {!isOperator.value && <p class="quiet">{t("obstacle.role")}</p>}
          <div class="buttons">
            <button
              type="button"
              class="primary"
              disabled={!isOperator.value || !isEdited || syntax !== undefined}
              onClick={() => {
                problem.value = undefined;
                step.value = { kind: "review" };
              }}
            >
              {t("document.review")}
            </button>
            <button
              type="button"
              disabled={!isEdited}
              onClick={() => void load().then((read) => read && take(read))}
            >
              {t("document.discard")}
            </button>
          </div>
        </>
      )}
    </section>
  );
}

interface TextFieldProps {
  readonly text: string;
  readonly problems: readonly Problem[];
  readonly onInput: (text: string) => void;
}

/** The text with its lines numbered; those with a problem are marked, and the problem leads there. */
function TextField({ text, problems, onInput }: TextFieldProps): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  const placed = problems.map((problem) => ({ problem, place: placeInJson(text, problem.path) }));
  const bad = new Set(
    placed.flatMap(({ place }) => (place === undefined ? [] : [lineOf(text, place.start)])),
  );
  const lines = text.split("\n").length;
  const show = (place: { readonly start: number; readonly end: number }): void => {
    area.current?.focus();
    area.current?.setSelectionRange(place.start, place.end);
  };
  useEffect(() => {
    const first = placed.find(({ place }) => place !== undefined)?.place;
    if (first !== undefined) show(first);
  }, [problems]);
  return (
    <>
      {problems.length > 0 && (
        <div class="notice bad" role="alert" id="document-problems">
          <strong>{t("document.problems", { count: problems.length })}</strong>
          <ul lang="en">
            {placed.map(({ problem: { path, found, expected }, place }) => (
              <li key={`${path}${expected}`}>
                {place === undefined ? (
                  <code>{path}</code>
                ) : (
                  <button type="button" class="link" onClick={() => show(place)}>
                    {t("document.line", { line: lineOf(text, place.start) })} <code>{path}</code>
                  </button>
                )}{" "}
                found {found}, expected {expected}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="code">
        <pre class="gutter" aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => (
            <span key={index} class={bad.has(index + 1) ? "bad" : ""}>
              {index + 1}
              {"\n"}
            </span>
          ))}
        </pre>
        <textarea
          ref={area}
          aria-label={t("document.text")}
          aria-invalid={problems.length > 0}
          aria-describedby={problems.length > 0 ? "document-problems" : undefined}
          spellcheck={false}
          wrap="off"
          rows={lines + 1}
          value={text}
          readOnly={!isOperator.value}
          onInput={({ currentTarget }) => onInput(currentTarget.value)}
        />
      </div>
    </>
  );
}

function written(document: unknown): string {
  return JSON.stringify(document, null, 2);
}

function syntaxProblem(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? undefined
      : "expected an object";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
