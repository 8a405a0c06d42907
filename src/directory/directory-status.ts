import type { BackupStatus } from "./backup-keeper.ts";
import type { DamagedApp } from "./directory.ts";

export interface DirectoryReach {
  /** "backup": the directory is out of reach; what was last known is in force, and changes are refused. */
  readonly state: "current" | "backup";
  /** Since when, ISO time. */
  readonly since: string;
  /** Why it is out of reach. */
  readonly reason?: string;
}

export interface DirectoryStatus extends DirectoryReach {
  /** The directory's description. */
  readonly directory: string;
  /** Apps whose stored document could not be read and has not been replaced yet. */
  readonly damaged: readonly DamagedApp[];
  /** Absent if no backup is configured. */
  readonly backup?: BackupStatus;
}
