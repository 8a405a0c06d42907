import type { ReleasePlan } from "../core/release-plan.ts";
import type { ReleaseView } from "../core/release-view.ts";
import type { PastRelease, StoredFreeze } from "./release-record.ts";

/** What a release is begun with; what is left out comes from the app's document, then from defaults. */
export interface StartRequest {
  readonly version: string;
  /** As written: `[{"testers": "wait"}, {"share": 1, "for": "2m"}, …]`. */
  readonly steps?: unknown;
  readonly groups?: readonly string[];
  /** Names of hooks. */
  readonly update?: string;
  readonly restore?: string;
}

export interface CommandRequest {
  readonly type: "continue" | "retry" | "pause" | "resume" | "rollback";
  readonly reason?: string;
  /** The step that was looked at. */
  readonly step?: number;
}

/** Why nothing was done: codes for programs, plain words for people. */
export interface ReleaseRefusal {
  readonly code: string;
  readonly reason: string;
}

/** What would become of a beginning. */
export type ReleasePreview =
  | {
      readonly kind: "preview";
      /** The plan by which it would go; undefined: what is written of it is no plan. */
      readonly plan: ReleasePlan | undefined;
      /** Everything that speaks against it now; empty: it would begin. */
      readonly refusals: readonly ReleaseRefusal[];
      /** Names of the hooks that there are. */
      readonly hooks: readonly string[];
    }
  | Exclude<ReleaseAnswer, { kind: "done" | "refused" }>;

export type ReleaseAnswer =
  | { readonly kind: "done"; readonly view: ReleaseView }
  | { readonly kind: "refused"; readonly refusals: readonly ReleaseRefusal[] }
  /** No such app, or it never had a release. */
  | { readonly kind: "missing"; readonly what: "app" | "release" }
  | { readonly kind: "unavailable"; readonly reason: string };

/** What people and CI do with releases. A command may be given to any gateway of the directory. */
export interface ReleaseService {
  start(app: string, request: StartRequest, by: string): Promise<ReleaseAnswer>;
  /** What `start` would answer now; nothing is begun. */
  preview(app: string, request: StartRequest): Promise<ReleasePreview>;
  /** Undefined: there is no such app, or it never had a release. */
  view(app: string): ReleaseView | undefined;
  command(app: string, request: CommandRequest, by: string): Promise<ReleaseAnswer>;
  /** The newest first, the current one included. */
  history(app: string): readonly PastRelease[];
  freezeOf(app: string): StoredFreeze | undefined;
  /** `until` in ms since the epoch, null: until it is lifted. Undefined freeze: lifts it. */
  freeze(
    app: string,
    freeze: { readonly until: number | null; readonly reason: string } | undefined,
    by: string,
  ): Promise<
    | { readonly kind: "done" }
    | { readonly kind: "missing" }
    | { readonly kind: "unavailable"; readonly reason: string }
  >;
}
