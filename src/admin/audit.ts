import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { AppChange, AppStore } from "../directory/app-store.ts";
import { linesFromEnd } from "./lines-from-end.ts";

const LONGEST_REASON = 500;
const MOST_UNWRITTEN = 10_000;

/** Who changed what, when, from which revision to which. */
export interface AuditEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly by: string;
  /** "put", "delete", "deploy 1 share 25", "seed", "directory" (changed elsewhere). */
  readonly what: string;
  readonly app: string;
  /** Revision before; null: there was no such app. */
  readonly from: number | null;
  /** Revision after; null: deleted, or refused. */
  readonly to: number | null;
  /** Why nothing was changed; absent when the change took place. */
  readonly refused?: string;
}

/**
 * Append-only, one JSON object a line, in `audit.jsonl` of the data folder (mode 0600), synced to disk before a change
 * is acknowledged. JSON encodes newlines, so no value can forge a line. A line torn by a crash stays as it is, closed
 * by a newline at the next opening, and is skipped by readers.
 *
 * A disk that takes no entry does not stop changes: a rollback must not depend on it. The entries wait in memory and
 * are written with the next one; `failure` tells.
 */
export class Audit {
  private readonly file: FileHandle;
  private readonly path: string;
  private readonly unwritten: string[] = [];
  private queue: Promise<void> = Promise.resolve();
  private torn: boolean;
  private lastFailure: string | undefined;

  private constructor(path: string, file: FileHandle, torn: boolean) {
    this.path = path;
    this.file = file;
    this.torn = torn;
  }

  /** Throws when the file cannot be opened for appending. */
  static async open(folder: string): Promise<Audit> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, "audit.jsonl");
    const file = await open(path, "a+", 0o600);
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    return new Audit(path, file, size > 0 && last.toString() !== "\n");
  }

  /** Records every change of the store from now on, before it is acknowledged. Returns the stop function. */
  follow(store: AppStore): () => void {
    return store.subscribe((change) => this.record(entryOf(change)));
  }

  /** Resolves when the entry is on disk; rejects when it could not be written (it is kept for the next attempt). */
  record(entry: AuditEntry): Promise<void> {
    if (this.unwritten.length < MOST_UNWRITTEN) this.unwritten.push(`${JSON.stringify(shortened(entry))}\n`);
    const written = this.queue.then(() => this.writeOut());
    this.queue = written.catch(() => undefined);
    return written;
  }

  /** Newest first; entries that were never wholly written are left out. */
  async newest(wanted: {
    readonly app?: string | undefined;
    readonly limit: number;
  }): Promise<readonly AuditEntry[]> {
    const entries: AuditEntry[] = [];
    if (wanted.limit < 1) return entries;
    for await (const line of linesFromEnd(this.file)) {
      const entry = parseEntry(line);
      if (entry === undefined || (wanted.app !== undefined && entry.app !== wanted.app)) continue;
      entries.push(entry);
      if (entries.length >= wanted.limit) break;
    }
    return entries;
  }

  /** Why the newest entries are not on disk; undefined when all is well. */
  get failure(): string | undefined {
    return this.lastFailure;
  }

  async close(): Promise<void> {
    await this.queue;
    await this.file.close();
  }

  private async writeOut(): Promise<void> {
    const count = this.unwritten.length;
    if (count === 0) return;
    const text = (this.torn ? "\n" : "") + this.unwritten.join("");
    try {
      // Until all of it is known to be written, the file may end in the middle of a line.
      this.torn = true;
      await this.file.appendFile(text);
      await this.file.datasync();
      this.torn = false;
      this.unwritten.splice(0, count);
      this.lastFailure = undefined;
    } catch (error) {
      this.lastFailure = `${this.path} cannot be written: ${(error as Error).message}`;
      throw error;
    }
  }
}

function entryOf(change: AppChange): AuditEntry {
  const { at, by, what, name, before, after } = change;
  return { at, by, what, app: name, from: before?.revision ?? null, to: after?.revision ?? null };
}

function shortened(entry: AuditEntry): AuditEntry {
  if (entry.refused === undefined || entry.refused.length <= LONGEST_REASON) return entry;
  return { ...entry, refused: `${entry.refused.slice(0, LONGEST_REASON)}…` };
}

function parseEntry(line: string): AuditEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isEntry =
      typeof value === "object" && value !== null && "at" in value && "by" in value && "app" in value;
    return isEntry ? (value as AuditEntry) : undefined;
  } catch {
    return undefined;
  }
}
