import type { HookSettings } from "../config/hook-settings.ts";

export type { HookSettings };

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
  /** The last 64 KiB of what a command printed. */
  readonly output?: string;
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
