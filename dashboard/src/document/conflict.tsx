import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { t } from "../text/translate.ts";
import { decided, type JsonObject, mergeDocuments, type Side } from "./three-way.ts";

export interface ConflictProps {
  readonly base: JsonObject;
  readonly mine: JsonObject;
  readonly theirs: JsonObject;
  /** Of theirs. */
  readonly revision: number;
  readonly onDecided: (document: JsonObject) => void;
}

/** Somebody else was faster: what both changed is decided field by field, the rest goes together by itself. */
export function ConflictChoice({ base, mine, theirs, revision, onDecided }: ConflictProps): JSX.Element {
  const merge = mergeDocuments(base, mine, theirs);
  const choices = useSignal<readonly ("mine" | "theirs" | undefined)[]>([]);
  const isDecided = merge.conflicts.every((_, index) => choices.value[index] !== undefined);
  return (
    <form
      class="conflict"
      aria-labelledby="conflict"
      onSubmit={(event) => {
        event.preventDefault();
        if (isDecided) onDecided(decided(merge, choices.value));
      }}
    >
      <div class="notice warn" role="alert">
        <h3 id="conflict">{t("conflict.title", { revision })}</h3>
        <p>{t(merge.conflicts.length === 0 ? "conflict.none" : "conflict.what")}</p>
      </div>
      {merge.conflicts.map(({ path, base, mine, theirs }, index) => (
        <fieldset key={path.join(".")}>
          <legend>
            <code>{path.join(".")}</code>
          </legend>
          <p class="quiet">
            {t("conflict.base")} <code>{sideText(base)}</code>
          </p>
          {(["theirs", "mine"] as const).map((side) => (
            <label key={side} class="choice">
              <input
                type="radio"
                name={path.join(".")}
                checked={choices.value[index] === side}
                onChange={() =>
                  (choices.value = merge.conflicts.map((_, other) =>
                    other === index ? side : choices.value[other],
                  ))
                }
              />
              <span>{t(`conflict.${side}`)}</span>
              <code>{sideText(side === "mine" ? mine : theirs)}</code>
            </label>
          ))}
        </fieldset>
      ))}
      <div class="buttons">
        <button type="submit" class="primary" disabled={!isDecided}>
          {t("conflict.take")}
        </button>
      </div>
    </form>
  );
}

function sideText(side: Side): string {
  return side === undefined ? t("conflict.absent") : JSON.stringify(side.value);
}
