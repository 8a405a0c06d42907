import type { Backup, BackupLoad } from "./backup.ts";
import type { StoredApp } from "./directory.ts";
import type { Log } from "./log.ts";

export interface BackupStatus {
  readonly path: string;
  /** ISO time of the newest whole backup; absent if there is none. */
  readonly savedAt?: string;
  /** Why the last load or save did not work out. */
  readonly error?: string;
}

/** Keeps the backup up to date beside the changes, and knows how that goes. Without a backup it does nothing. */
export class BackupKeeper {
  readonly #backup: Backup | undefined;
  readonly #now: () => number;
  readonly #log: Log;
  #status: Omit<BackupStatus, "path"> = {};
  #underWay: Promise<void> = Promise.resolve();
  #writing = false;
  /** What is to be saved when the write under way is done. */
  #next: (() => readonly StoredApp[]) | undefined;

  constructor(backup: Backup | undefined, now: () => number, log: Log) {
    this.#backup = backup;
    this.#now = now;
    this.#log = log;
  }

  /** Undefined if no backup is configured. */
  status(): BackupStatus | undefined {
    return this.#backup === undefined ? undefined : { path: this.#backup.path, ...this.#status };
  }

  async load(): Promise<BackupLoad> {
    const loaded = (await this.#backup?.load()) ?? { kind: "absent" };
    if (loaded.kind === "loaded") {
      this.#status = { savedAt: loaded.savedAt };
      if (loaded.fellBack !== undefined) {
        this.#log.warn(`the backup before the newest is taken: ${loaded.fellBack}`);
      }
    } else if (loaded.kind === "damaged") {
      this.#status = { error: this.describe(loaded) };
      this.#log.error(this.describe(loaded));
    }
    return loaded;
  }

  /** Why there is nothing to load. */
  describe(backup: Exclude<BackupLoad, { kind: "loaded" }>): string {
    if (this.#backup === undefined) return "no backup is configured";
    if (backup.kind === "absent") return `there is no backup at ${this.#backup.path}`;
    return `the backup ${this.#backup.path} is damaged (${backup.reason}), set aside as ${backup.setAside}`;
  }

  /**
   * Begins to save and returns at once; a failure shows in the status and the log. What comes while a write is under way
   * is saved together after it: each save is of everything, as `apps` gives it then.
   */
  save(apps: () => readonly StoredApp[]): void {
    if (this.#backup === undefined) return;
    this.#next = apps;
    if (this.#writing) return;
    this.#underWay = this.#writeAll(this.#backup);
  }

  /** Resolves when the latest save is done, well or not. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  async #writeAll(backup: Backup): Promise<void> {
    this.#writing = true;
    for (let apps = this.#next; apps !== undefined; apps = this.#next) {
      this.#next = undefined;
      await this.#write(backup, apps());
    }
    this.#writing = false;
  }

  async #write(backup: Backup, apps: readonly StoredApp[]): Promise<void> {
    try {
      await backup.save(apps);
      this.#status = { savedAt: new Date(this.#now()).toISOString() };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#status = { ...this.#status, error: reason };
      this.#log.error({ err: error }, `the backup could not be written: ${reason}`);
    }
  }
}
