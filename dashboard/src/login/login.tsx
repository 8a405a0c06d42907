import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { ApiProblem } from "../data/api.ts";
import { logIn } from "../data/session.ts";
import { Heading } from "../parts/heading.tsx";
import { t } from "../text/translate.ts";
import { LoginField } from "./login-field.tsx";

/** `ended`: one was logged in until now. */
export function Login({ ended }: { readonly ended: boolean }): JSX.Element {
  const token = useSignal("");
  const problem = useSignal<ApiProblem | undefined>(undefined);
  const isBusy = useSignal(false);
  const send = async (): Promise<void> => {
    isBusy.value = true;
    problem.value = await logIn(token.value.trim());
    isBusy.value = false;
  };
  return (
    <div class="login">
      <LoginField />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Heading>{t("login.title")}</Heading>
        <p class="quiet">{t(ended ? "login.ended" : "login.what")}</p>
        <label>
          <span>{t("login.token")}</span>
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token.value}
            aria-invalid={problem.value !== undefined}
            aria-describedby={problem.value === undefined ? undefined : "login-problem"}
            onInput={({ currentTarget }) => (token.value = currentTarget.value)}
          />
        </label>
        {problem.value !== undefined && (
          <p class="notice bad" role="alert" id="login-problem">
            {problem.value.status === 0
              ? t("problem.unreachable")
              : problem.value.status === 401
                ? t("login.wrong")
                : problem.value.detail}
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="primary" disabled={isBusy.value}>
            {t("login.enter")}
          </button>
        </div>
        <p class="quiet">
          {t("login.where")} <code>halftone token create NAME --role viewer</code>
        </p>
      </form>
    </div>
  );
}
