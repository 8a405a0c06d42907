import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import type { JSX } from "preact";
import type { ReleaseJson } from "../../../src/admin/release-schemas.ts";
import { type ApiProblem, appPath, call } from "../data/api.ts";
import { connection } from "../data/feed.ts";
import { readRelease, takeRelease } from "../data/live.ts";
import { isOperator } from "../data/session.ts";
import { Dialog } from "../parts/dialog.tsx";
import { ProblemNotice } from "../parts/problem-notice.tsx";
import { phaseInWords } from "../text/release-text.ts";
import { t } from "../text/translate.ts";
import { type Command, COMMANDS, obstacleTo } from "./commands-now.ts";

/** What can be said to a release. A command that would be refused says why instead. */
export function Commands({ view }: { readonly view: ReleaseJson }): JSX.Element {
  const asked = useSignal<Command | undefined>(undefined);
  const circumstances = { isOperator: isOperator.value, isLost: connection.value.kind === "lost" };
  const shown = COMMANDS.filter(
    (command) => command !== "retry" || obstacleTo(command, view, circumstances) !== "nothingFailed",
  );
  return (
    <div class="commands" role="group" aria-label={t("commands.title")}>
      {shown.map((command) => (
        <CommandButton
          key={command}
          command={command}
          obstacle={obstacleInWords(command, view, circumstances)}
          onClick={() => (asked.value = command)}
        />
      ))}
      {asked.value !== undefined && (
        <ConfirmCommand command={asked.value} view={view} onClose={() => (asked.value = undefined)} />
      )}
    </div>
  );
}

function obstacleInWords(
  command: Command,
  view: ReleaseJson,
  circumstances: Parameters<typeof obstacleTo>[2],
): string | undefined {
  const obstacle = obstacleTo(command, view, circumstances);
  if (obstacle === undefined) return undefined;
  if (obstacle !== "waitsForOther" || view.waitingFor === null) return t(`obstacle.${obstacle}`);
  return t("obstacle.waitsForOther", { wait: t(`wait.${view.waitingFor}`) });
}

interface CommandButtonProps {
  readonly command: Command;
  readonly obstacle: string | undefined;
  readonly onClick: () => void;
}

function CommandButton({ command, obstacle, onClick }: CommandButtonProps): JSX.Element {
  const id = useId();
  const isRefused = obstacle !== undefined;
  // Not `disabled`: the reason can be reached by keyboard too.
  return (
    <span class="command">
      <button
        type="button"
        class={command === "rollback" ? "danger" : command === "continue" ? "primary" : ""}
        aria-disabled={isRefused}
        aria-describedby={isRefused ? id : undefined}
        onClick={() => {
          if (!isRefused) onClick();
        }}
      >
        {t(`command.${command}`)}
      </button>
      {isRefused && (
        <span class="why" id={id}>
          {obstacle}
        </span>
      )}
    </span>
  );
}

interface ConfirmCommandProps {
  readonly command: Command;
  readonly view: ReleaseJson;
  readonly onClose: () => void;
}

function ConfirmCommand({ command, view, onClose }: ConfirmCommandProps): JSX.Element {
  // What was looked at when the question was asked: a step that has gone by meanwhile is not meant.
  const asked = useSignal(view);
  const reason = useSignal("");
  const problem = useSignal<ApiProblem | undefined>(undefined);
  const isBusy = useSignal(false);
  const { app, version, phase, group, step } = asked.value;
  const send = async (): Promise<void> => {
    isBusy.value = true;
    const answer = await call<ReleaseJson>(appPath(app, `/release/${command}`), {
      method: "POST",
      body: { step, ...(reason.value.trim() !== "" && { reason: reason.value.trim() }) },
    });
    isBusy.value = false;
    if (answer.ok) {
      takeRelease(answer.value);
      onClose();
    } else {
      problem.value = answer.problem;
      void readRelease(app);
    }
  };
  return (
    <Dialog title={t(`confirm.${command}`, { app, version })} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p>{t(`confirm.${command}.what`, { phase: phaseInWords(phase), group: group ?? "", version })}</p>
        <label>
          <span>{t("confirm.reason")}</span>
          <input value={reason.value} onInput={({ currentTarget }) => (reason.value = currentTarget.value)} />
        </label>
        {problem.value !== undefined && <ProblemNotice problem={problem.value} />}
        <div class="buttons">
          <button type="submit" class={command === "rollback" ? "danger" : "primary"} disabled={isBusy.value}>
            {t(`command.${command}`)}
          </button>
          <button type="button" onClick={onClose}>
            {t("cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
