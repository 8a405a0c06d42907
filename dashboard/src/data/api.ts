import type { ProblemDocument } from "../../../src/admin/api-problem.ts";

/** Why something was not done; `status` 0: nobody answered. */
export type ApiProblem = Partial<Pick<ProblemDocument, "problems" | "current" | "refusals">> & {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
};

export type ApiAnswer<T> =
  | { readonly ok: true; readonly status: number; readonly value: T; readonly revision: number | undefined }
  | { readonly ok: false; readonly problem: ApiProblem };

export interface Call {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly body?: unknown;
  /** Of the document that was read. */
  readonly revision?: number;
  /** Ms; default 15 000. */
  readonly timeout?: number;
}

const TIMEOUT = 15_000;

let whenLoggedOut: () => void = () => {};

/** What to do when a request finds that the session is over. */
export function onLoggedOut(act: () => void): void {
  whenLoggedOut = act;
}

/** A request to the admin API; `path` under /api/v1. The browser sends the session's cookie. */
export async function call<T>(path: string, options: Call = {}): Promise<ApiAnswer<T>> {
  const { method = "GET", body, revision, timeout = TIMEOUT } = options;
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      signal: AbortSignal.timeout(timeout),
      headers: {
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...(revision !== undefined && { "If-Match": `"${revision}"` }),
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, problem: { status: 0, title: "", detail } };
  }
  const content = await contentOf(response);
  if (response.ok)
    return { ok: true, status: response.status, value: content as T, revision: revisionOf(response) };
  if (response.status === 401) whenLoggedOut();
  return { ok: false, problem: problemOf(response, content) };
}

export function appPath(app: string, rest: string = ""): string {
  return `/apps/${encodeURIComponent(app)}${rest}`;
}

async function contentOf(response: Response): Promise<unknown> {
  try {
    const text = await response.text();
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function revisionOf(response: Response): number | undefined {
  const [, digits] = /^(?:W\/)?"(\d+)"$/.exec(response.headers.get("etag") ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function problemOf({ status, statusText }: Response, content: unknown): ApiProblem {
  const document = (
    typeof content === "object" && content !== null ? content : {}
  ) as Partial<ProblemDocument>;
  return {
    ...document,
    status,
    title: document.title ?? statusText,
    detail: document.detail ?? "",
  };
}
