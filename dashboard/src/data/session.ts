import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Role } from "../../../src/admin/role.ts";
import type { SessionState } from "../../../src/admin/schemas.ts";
import { type ApiProblem, call, onLoggedOut } from "./api.ts";

export type Session =
  | { readonly kind: "unknown" }
  | { readonly kind: "out"; readonly ended: boolean }
  | { readonly kind: "in"; readonly who: SessionState };

/** Who one is. */
export const session: Signal<Session> = signal({ kind: "unknown" });

const role: ReadonlySignal<Role | undefined> = computed(() =>
  session.value.kind === "in" ? session.value.who.role : undefined,
);

/** May one change something? What that is in particular the API says. */
export const isOperator: ReadonlySignal<boolean> = computed(
  () => role.value === "operator" || role.value === "admin",
);

/** Asks who one is. False: nobody answered, so that nothing is known. */
export async function findSession(): Promise<boolean> {
  const answer = await call<SessionState>("/session");
  if (answer.ok) session.value = { kind: "in", who: answer.value };
  else if (answer.problem.status === 0) return false;
  else if (session.value.kind !== "out") end();
  return true;
}

/** Undefined: logged in. */
export async function logIn(token: string): Promise<ApiProblem | undefined> {
  const answer = await call<SessionState>("/session", { method: "POST", body: { token } });
  if (!answer.ok) return answer.problem;
  session.value = { kind: "in", who: answer.value };
  return undefined;
}

export async function logOut(): Promise<void> {
  await call("/session", { method: "DELETE" });
  session.value = { kind: "out", ended: false };
}

function end(): void {
  session.value = { kind: "out", ended: session.value.kind === "in" };
}

onLoggedOut(() => {
  if (session.value.kind === "in") end();
});
