import type { BackupStatus } from "./backup-keeper.ts";
import type { DamagedApp, StoredApp } from "./directory.ts";

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
  /** Apps of which it holds something that would be a step back, and is not taken. */
  readonly differences: number;
  /** Absent if no backup is configured. */
  readonly backup?: BackupStatus;
}

/** The directory holds something that is not taken, as that would be a step back. */
export interface Difference {
  readonly name: string;
  /** What the directory answers, for people. */
  readonly answer: string;
  /** Undefined: no such app is in force. */
  readonly inForce: StoredApp | undefined;
  /** Undefined: the directory holds no such app, or what cannot be read. */
  readonly stored: StoredApp | undefined;
}
