import { mkdir, readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { DamagedApp, StoredApp } from "./directory.ts";
import { errorCode, removeLeftovers, replaceFile, setFileAside } from "./durable-file.ts";
import { isRecord, sealList, unseal } from "./sealed-json.ts";
import { parseStoredApp } from "./stored-app.ts";

const FORMAT = "halftone-backup-1";

export interface LoadedBackup {
  readonly kind: "loaded";
  readonly apps: readonly StoredApp[];
  /** Apps of a whole file that this version of the program cannot take. */
  readonly damaged: readonly DamagedApp[];
  /** ISO time. */
  readonly savedAt: string;
  /** Why the one before the newest was taken; absent when the newest was whole. */
  readonly fellBack?: string;
}

export interface DamagedBackup {
  readonly kind: "damaged";
  /** Where the newest backup's bytes now lie. */
  readonly setAside: string;
  readonly reason: string;
}

export type BackupLoad = LoadedBackup | { readonly kind: "absent" } | DamagedBackup;

/**
 * The local copy of the directory's last known content, in one sealed file; the one before it is kept as
 * `<path>.previous` and taken when the newest is damaged or missing.
 */
export class Backup {
  readonly path: string;
  readonly #now: () => number;
  /** A change concerns one app of perhaps thousands: what the others are as JSON is kept. */
  readonly #texts = new WeakMap<StoredApp, string>();
  /** Content that waits for the write under way; a later save replaces it. */
  #next: readonly StoredApp[] | undefined;
  #writing: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  #prepared = false;

  constructor(path: string, now: () => number = Date.now) {
    this.path = resolve(path);
    this.#now = now;
  }

  /**
   * Resolves when this content or a later one is on disk; rejects with the system's error. At most one write is under
   * way: saves that come meanwhile share the next one, which takes the latest content.
   */
  async save(apps: readonly StoredApp[]): Promise<void> {
    this.#next = apps;
    this.#waiting ??= this.#writeNext(this.#writing);
    await this.#waiting;
  }

  /** Never throws: a file that cannot be read is reported as damaged, and stays where it is. */
  async load(): Promise<BackupLoad> {
    const newest = await this.#loadFile(this.path);
    if (newest.kind === "loaded") return newest;
    const previous = await this.#loadFile(`${this.path}.previous`);
    if (previous.kind === "loaded") {
      const fellBack =
        newest.kind === "absent"
          ? `${this.path} is missing`
          : `${this.path} is damaged (${newest.reason}), set aside as ${newest.setAside}`;
      return { ...previous, fellBack };
    }
    return newest.kind === "damaged" ? newest : previous;
  }

  async #writeNext(underWay: Promise<void> | undefined): Promise<void> {
    // Its failure is told to those who waited for it. Without one this still yields, so callers of one turn share a write.
    await underWay?.catch(() => undefined);
    const apps = this.#next ?? [];
    this.#writing = this.#waiting;
    this.#waiting = undefined;
    this.#next = undefined;
    await this.#prepare();
    const savedAt = new Date(this.#now()).toISOString();
    const text = sealList(
      FORMAT,
      { savedAt },
      "apps",
      apps.map((app) => this.#textOf(app)),
    );
    await replaceFile(this.path, text, { keepOldAs: `${this.path}.previous` });
  }

  #textOf(app: StoredApp): string {
    let text = this.#texts.get(app);
    if (text === undefined) this.#texts.set(app, (text = JSON.stringify(app)));
    return text;
  }

  async #prepare(): Promise<void> {
    if (this.#prepared) return;
    await mkdir(dirname(this.path), { recursive: true });
    // They are ignored anyway: what cannot be removed must not keep the backup from being written.
    await removeLeftovers(dirname(this.path)).catch(() => undefined);
    this.#prepared = true;
  }

  async #loadFile(path: string): Promise<BackupLoad> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (errorCode(error) === "ENOENT") return { kind: "absent" };
      return { kind: "damaged", setAside: path, reason: (error as Error).message };
    }
    const content = parseBackup(path, text);
    if (typeof content !== "string") return content;
    return { kind: "damaged", setAside: await this.#setAside(path), reason: content };
  }

  async #setAside(path: string): Promise<string> {
    try {
      return await setFileAside(path, this.#now());
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return path;
    }
  }
}

/** What the file says, or why it cannot be taken. */
function parseBackup(path: string, text: string): LoadedBackup | string {
  const unsealed = unseal(FORMAT, text);
  if (!unsealed.ok) return unsealed.reason;
  const { savedAt, apps: entries } = unsealed.content;
  if (typeof savedAt !== "string" || !Array.isArray(entries)) return "it holds no list of apps";
  const apps: StoredApp[] = [];
  const damaged: DamagedApp[] = [];
  for (const entry of entries as readonly unknown[]) {
    if (!isRecord(entry) || typeof entry["name"] !== "string") return "it holds an app without a name";
    const { name, revision } = entry;
    const read = parseStoredApp(name, revision, entry);
    if (read.ok) apps.push(read.app);
    else damaged.push({ name, setAside: path, reason: read.reason });
  }
  return { kind: "loaded", apps, damaged, savedAt };
}
