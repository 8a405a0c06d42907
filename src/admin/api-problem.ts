import type { Problem } from "../config/problem.ts";
import type { ReleaseRefusal } from "../release/release-service.ts";

/** What a refusal is about: `type` is `urn:halftone:problem:` and this. Programs decide on it, people read `detail`. */
export type ApiProblemCode =
  | "bad-request"
  | "unauthorized"
  | "forbidden"
  | "cross-origin"
  | "too-many-attempts"
  | "not-found"
  | "no-such-app"
  | "no-release"
  | "no-freeze"
  | "no-session"
  | "no-such-token"
  | "token-exists"
  | "token-refused"
  | "tokens-unavailable"
  | "method-not-allowed"
  | "stale"
  | "no-difference"
  | "not-converged"
  | "not-idle"
  | "locked"
  | "refused"
  | "body-too-large"
  | "unsupported-media-type"
  | "wrong-host"
  | "invalid-document"
  | "precondition-required"
  | "internal"
  | "directory-unavailable"
  | "too-many-readers";

const CATALOGUE: Readonly<Record<ApiProblemCode, { readonly status: number; readonly title: string }>> = {
  "bad-request": { status: 400, title: "The request cannot be understood" },
  unauthorized: { status: 401, title: "A valid token is needed" },
  forbidden: { status: 403, title: "The role of the token does not suffice" },
  "cross-origin": { status: 403, title: "The request came from another page" },
  "not-found": { status: 404, title: "There is no such resource" },
  "no-such-app": { status: 404, title: "There is no such app" },
  "no-release": { status: 404, title: "The app never had a release" },
  "no-freeze": { status: 404, title: "The app is not frozen" },
  "no-session": { status: 404, title: "There is no session" },
  "no-such-token": { status: 404, title: "There is no such token" },
  "method-not-allowed": { status: 405, title: "The resource does not take this method" },
  "no-difference": { status: 404, title: "There is nothing to resolve" },
  "not-converged": { status: 409, title: "Not every gateway has it in force yet" },
  "not-idle": { status: 409, title: "The servers may not be restarted yet" },
  refused: { status: 409, title: "The release does not do that now" },
  "token-exists": { status: 409, title: "The name of the token is taken" },
  "token-refused": { status: 409, title: "The tokens cannot be changed like that" },
  locked: { status: 409, title: "The app cannot be changed now" },
  stale: { status: 412, title: "The app was changed since it was read" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "unsupported-media-type": { status: 415, title: "The body has a type that is not taken here" },
  "wrong-host": { status: 421, title: "This is not the host asked for" },
  "invalid-document": { status: 422, title: "The document is not valid" },
  "precondition-required": { status: 428, title: "The revision to be changed must be named" },
  "too-many-attempts": { status: 429, title: "Too many attempts with wrong tokens" },
  internal: { status: 500, title: "Something went wrong in Halftone" },
  "directory-unavailable": { status: 503, title: "The directory cannot be written now" },
  "tokens-unavailable": { status: 503, title: "The tokens cannot be read or changed now" },
  "too-many-readers": { status: 503, title: "As many follow the events as there is room for" },
};

const PROBLEM_TYPE_PREFIX = "urn:halftone:problem:";

/** RFC 9457, with members of our own. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** This case: what was found, what is expected, what stays in force. */
  readonly detail: string;
  /** Of an invalid document: everything that is wrong with it. */
  readonly problems?: readonly Problem[] | undefined;
  /** Of a stale write: the revision that stands; null: there is no such app now. */
  readonly current?: number | null | undefined;
  /** Of a release that does not do what was asked: everything that speaks against it. */
  readonly refusals?: readonly ReleaseRefusal[] | undefined;
}

/** What a problem document may carry besides `detail`, and header fields of the answer. */
export interface ProblemExtras {
  readonly problems?: readonly Problem[];
  readonly current?: number | null;
  readonly refusals?: readonly ReleaseRefusal[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer that refuses a request. */
export function refusal(code: ApiProblemCode, detail: string, extras: ProblemExtras = {}): Response {
  const { headers, ...members } = extras;
  const document: ProblemDocument = {
    type: PROBLEM_TYPE_PREFIX + code,
    title: CATALOGUE[code].title,
    status: CATALOGUE[code].status,
    detail,
    ...members,
  };
  return new Response(JSON.stringify(document), {
    status: document.status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
}
