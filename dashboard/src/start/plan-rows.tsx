import type { JSX } from "preact";
import { t } from "../text/translate.ts";
import type { StepRow } from "./step-rows.ts";

const KINDS = ["testers", "share", "hold"] as const;

export interface PlanRowsProps {
  readonly rows: readonly StepRow[];
  readonly onChange: (rows: readonly StepRow[]) => void;
}

/** The steps of a plan, one a line. */
export function PlanRows({ rows, onChange }: PlanRowsProps): JSX.Element {
  const replace = (index: number, change: Partial<StepRow>): void =>
    onChange(rows.map((row, place) => (place === index ? fitting({ ...row, ...change }) : row)));
  const remove = (index: number): void => onChange(rows.filter((_, place) => place !== index));
  const add = (): void => {
    const last = rows.findLastIndex(({ kind }) => kind === "share");
    const row: StepRow = { kind: "share", share: "", until: "time", length: "2m" };
    onChange([...rows.slice(0, Math.max(last, 0)), row, ...rows.slice(Math.max(last, 0))]);
  };
  return (
    <fieldset>
      <legend>{t("plan.title")}</legend>
      <ol class="plan-rows">
        {rows.map((row, index) => (
          <PlanRow
            key={index}
            row={row}
            number={index + 1}
            onChange={(change) => replace(index, change)}
            onRemove={() => remove(index)}
          />
        ))}
      </ol>
      <button type="button" class="small" onClick={add}>
        {t("plan.add")}
      </button>
    </fieldset>
  );
}

/** Only a step with a share can wait for a verdict. */
function fitting(row: StepRow): StepRow {
  return row.kind !== "share" && row.until === "verdict" ? { ...row, until: "continue" } : row;
}

interface PlanRowProps {
  readonly row: StepRow;
  readonly number: number;
  readonly onChange: (change: Partial<StepRow>) => void;
  readonly onRemove: () => void;
}

function PlanRow({ row, number, onChange, onRemove }: PlanRowProps): JSX.Element {
  const { kind, share, until, length } = row;
  const waits =
    kind === "share" ? (["time", "continue", "verdict"] as const) : (["time", "continue"] as const);
  const label = (what: string): string => t("plan.field", { step: number, what });
  return (
    <li>
      <select
        aria-label={label(t("plan.kind"))}
        value={kind}
        onChange={({ currentTarget }) => onChange({ kind: currentTarget.value as StepRow["kind"] })}
      >
        {KINDS.map((one) => (
          <option key={one} value={one}>
            {t(`plan.${one}`)}
          </option>
        ))}
      </select>
      {kind === "share" && (
        <span class="with-unit">
          <input
            class="narrow"
            inputMode="decimal"
            aria-label={label(t("plan.percentage"))}
            value={share}
            onInput={({ currentTarget }) => onChange({ share: currentTarget.value })}
          />
          %
        </span>
      )}
      <select
        aria-label={label(t("plan.until"))}
        value={until}
        onChange={({ currentTarget }) => onChange({ until: currentTarget.value as StepRow["until"] })}
      >
        {waits.map((one) => (
          <option key={one} value={one}>
            {t(`plan.until.${one}`)}
          </option>
        ))}
      </select>
      {until !== "continue" && (
        <input
          class="narrow"
          aria-label={label(t("plan.length"))}
          value={length}
          onInput={({ currentTarget }) => onChange({ length: currentTarget.value })}
        />
      )}
      <button
        type="button"
        class="small"
        aria-label={t("plan.remove.of", { step: number })}
        onClick={onRemove}
      >
        ×
      </button>
    </li>
  );
}
