import type { JSX } from "preact";
import { t } from "../text/translate.ts";
import { contextOf, diffLines } from "./line-diff.ts";

const AROUND = 3;
const SIGNS = { same: " ", gone: "−", new: "+" } as const;

/** What would change, line by line. */
export function DiffView({
  before,
  after,
}: {
  readonly before: string;
  readonly after: string;
}): JSX.Element {
  const lines = contextOf(diffLines(before, after), AROUND);
  if (before === after) return <p class="quiet">{t("diff.none")}</p>;
  return (
    <div class="scroll" role="group" aria-label={t("diff.title")} tabIndex={0}>
      <ol class="diff">
        {lines.map((line, index) =>
          line === undefined ? (
            <li key={index} class="left-out" aria-hidden="true">
              …
            </li>
          ) : (
            <li key={index} class={line.kind}>
              <span aria-hidden="true">{SIGNS[line.kind]} </span>
              {line.kind !== "same" && <span class="spoken">{t(`diff.${line.kind}`)} </span>}
              {line.text}
            </li>
          ),
        )}
      </ol>
    </div>
  );
}
