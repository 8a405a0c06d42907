/** A hook of `halftone.yaml`, checked. Durations are in ms. */
export interface HookSettings {
  readonly name: string;
  /** A program with its arguments, run without a shell; or a URL that is posted to. */
  readonly action:
    | { readonly kind: "command"; readonly command: readonly string[] }
    | { readonly kind: "webhook"; readonly url: string; readonly secret?: string };
  /** Once for the group, or once for each of its servers, one after the other. */
  readonly per: "group" | "server";
  /** For one run of it. */
  readonly timeout: number;
  /** It may be run again when nobody knows how it ended. */
  readonly idempotent: boolean;
}

/** What a hook is run for. */
export interface HookTask {
  readonly hook: HookSettings;
  readonly kind: "update" | "restore";
  /** Names the run: the idempotency key of a webhook. */
  readonly run: string;
  readonly release: string;
  readonly app: string;
  readonly version: string;
  readonly group: string;
  /** Addresses of the group's servers. */
  readonly servers: readonly string[];
}

export interface HookOutcome {
  readonly outcome: "done" | "failed";
  /** For people: what was run, how it ended, and the end of what it printed. */
  readonly detail: string;
}

/** A run under way. */
export interface HookRun {
  readonly ended: Promise<HookOutcome>;
  /** Ends it: the whole process group of a command. `ended` then resolves as failed. */
  stop(): void;
}

export interface HookRunner {
  /** `onOutput`: lines as they come, for events and logs. Never throws: what goes wrong is an outcome. */
  run(task: HookTask, onOutput?: (line: string) => void): HookRun;
}
