import { mkdir, readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  type AppContent,
  type ChangeTerms,
  type DamagedApp,
  type DeletedApp,
  type DeleteResult,
  type Directory,
  type DirectoryContent,
  DirectoryUnavailable,
  type Expected,
  isExpected,
  type StoredApp,
  type WriteResult,
} from "./directory.ts";
import {
  errorCode,
  type FileIdentity,
  identifyFile,
  removeLeftovers,
  replaceFile,
  setAsideFrom,
  setFileAside,
} from "./durable-file.ts";
import { LocalLocks } from "./locks.ts";
import { watchFolder } from "./folder-watch.ts";
import { isRecord, seal, unseal } from "./sealed-json.ts";
import { SerialQueue } from "./serial-queue.ts";
import { isRevision, nextVersion, parseStoredApp } from "./stored-app.ts";

const FORMAT = "halftone-app-1";
const SAFE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
/** Files read at the same time: enough to keep a disk busy, far from the limit of open files. */
const READERS = 32;

/** What one file says of its app. */
type FileState =
  | { readonly kind: "absent" }
  | { readonly kind: "app"; readonly app: StoredApp }
  | { readonly kind: "deleted"; readonly deleted: DeletedApp }
  | { readonly kind: "damaged"; readonly reason: string };

/**
 * One sealed file per app, `<folder>/apps/<name>.json`; a deleted app keeps a file without a document, for its revision.
 *
 * A file that is not whole is renamed to `<name>.json.damaged-<time>` and reported until its name is written again,
 * also by later starts. Changes of one instance run one after another, and each reads its file first, so a newer
 * revision written by another process is noticed. There is no lock between processes: two that write the same app
 * within the same millisecond may both be told they won, and the later one stands. Several gateways belong on Redis.
 */
export class FileDirectory implements Directory {
  readonly description: string;
  /** Of this process: a folder belongs to one gateway. */
  readonly locks: LocalLocks = new LocalLocks();
  readonly #folder: string;
  readonly #now: () => number;
  readonly #watchDelay: number;
  readonly #queue = new SerialQueue();
  /** The files as this instance left them, to tell its own changes from those of others. */
  readonly #left = new Map<string, FileIdentity | undefined>();
  #prepared = false;

  /** Touches no disk: what is wrong with the folder shows at the first use. `watchDelay` in ms, default 50. */
  constructor(folder: string, options: { readonly now?: () => number; readonly watchDelay?: number } = {}) {
    this.#folder = join(resolve(folder), "apps");
    this.description = `file ${this.#folder}`;
    this.#now = options.now ?? Date.now;
    this.#watchDelay = options.watchDelay ?? 50;
  }

  async read(): Promise<DirectoryContent> {
    return await this.#queue.run(async () => {
      await this.#prepare();
      const entries = await this.#attempt("read", this.#folder, () =>
        readdir(this.#folder, { withFileTypes: true }),
      );
      const files = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."));
      const content = { apps: [] as StoredApp[], deleted: [] as DeletedApp[], damaged: [] as DamagedApp[] };
      const pending = files.map((file) => file.name).filter((file) => file.endsWith(".json"));
      const present = new Set(pending);
      const reader = async (): Promise<void> => {
        for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
          const name = basename(file, ".json");
          const state = await this.#readFile(name);
          if (state.kind === "app") content.apps.push(state.app);
          else if (state.kind === "deleted") content.deleted.push(state.deleted);
          else if (state.kind === "damaged") {
            content.damaged.push(await this.#reportDamage(name, state.reason));
          }
        }
      };
      await Promise.all(Array.from({ length: READERS }, reader));
      content.damaged.push(
        ...this.#stillDamaged(
          files.map((file) => file.name),
          present,
        ),
      );
      for (const list of [content.apps, content.deleted, content.damaged]) list.sort(byName);
      return content;
    });
  }

  async write(
    name: string,
    content: AppContent,
    expected: Expected,
    terms: ChangeTerms = {},
  ): Promise<WriteResult> {
    checkName(name);
    return await this.#queue.run(async () => {
      const state = await this.#readForChange(name);
      const before = state.kind === "app" ? state.app : undefined;
      const fenced = this.locks.refusal(terms.fence);
      if (fenced !== undefined) return fenced;
      if (!isExpected(expected, before)) return { kind: "stale", current: before };
      const app = nextVersion(name, content, revisionOf(state), terms.floor);
      await this.#writeFile(name, app.revision, content);
      return { kind: "written", app, before };
    });
  }

  async delete(name: string, expected: Expected, terms: ChangeTerms = {}): Promise<DeleteResult> {
    checkName(name);
    return await this.#queue.run(async () => {
      const state = await this.#readForChange(name);
      const before = state.kind === "app" ? state.app : undefined;
      const fenced = this.locks.refusal(terms.fence);
      if (fenced !== undefined) return fenced;
      if (before === undefined || !isExpected(expected, before)) return { kind: "stale", current: before };
      const revision = Math.max(before.revision, terms.floor ?? 0) + 1;
      await this.#writeFile(name, revision, null);
      return { kind: "deleted", before, revision };
    });
  }

  watch(onChange: () => void, onError: (error: Error) => void = () => undefined): () => void {
    return watchFolder(this.#folder, {
      delay: this.#watchDelay,
      matches: (file) => file.endsWith(".json") && !file.startsWith("."),
      changed: (files) => {
        // In the queue, so that a change this instance is in the middle of is known as its own.
        void this.#queue
          .run(() => this.#changedByOthers(files))
          .then(
            (changed) => changed && onChange(),
            () => onChange(),
          );
      },
      failed: onError,
    });
  }

  /** Waits for changes under way. */
  async close(): Promise<void> {
    await this.#queue.run(() => Promise.resolve());
  }

  /**
   * Makes the folder once. A folder that vanishes later is not made again: it is more likely a disk that is not
   * mounted than an empty directory.
   */
  async #prepare(): Promise<void> {
    if (this.#prepared) return;
    await this.#attempt("make", this.#folder, () => mkdir(this.#folder, { recursive: true }));
    try {
      await removeLeftovers(this.#folder);
    } catch {
      // Leftovers are ignored anyway, and a folder that can only be read can still serve.
    }
    this.#prepared = true;
  }

  async #readFile(name: string): Promise<FileState> {
    const path = this.#path(name);
    const text = await this.#attempt("read", path, async () => {
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        if (errorCode(error) === "ENOENT") return undefined;
        throw error;
      }
    });
    return text === undefined ? { kind: "absent" } : parseFile(name, text);
  }

  /** As `#readFile`, with damaged bytes already out of the way: a change never replaces what could not be read. */
  async #readForChange(name: string): Promise<Exclude<FileState, { kind: "damaged" }>> {
    await this.#prepare();
    const state = await this.#readFile(name);
    if (state.kind !== "damaged") return state;
    await this.#attempt("set aside", this.#path(name), () => this.#setAside(name));
    return { kind: "absent" };
  }

  async #reportDamage(name: string, reason: string): Promise<DamagedApp> {
    try {
      return { name, setAside: await this.#setAside(name), reason };
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      // A disk that can only be read: the bytes stay where they are, and the other apps still load.
      return { name, setAside: this.#path(name), reason };
    }
  }

  async #setAside(name: string): Promise<string> {
    const setAside = await setFileAside(this.#path(name), this.#now());
    this.#left.set(`${name}.json`, undefined);
    return setAside;
  }

  /** Apps set aside earlier whose name has not been written since. */
  #stillDamaged(files: readonly string[], present: ReadonlySet<string>): readonly DamagedApp[] {
    const newest = new Map<string, string>();
    for (const file of [...files].sort()) {
      const from = setAsideFrom(file);
      if (from?.endsWith(".json") && !present.has(from)) newest.set(basename(from, ".json"), file);
    }
    return Array.from(newest, ([name, file]) => ({
      name,
      setAside: join(this.#folder, file),
      reason: "it was damaged and set aside earlier, and has not been written since",
    }));
  }

  async #writeFile(name: string, revision: number, content: AppContent | null): Promise<void> {
    const path = this.#path(name);
    const text = seal(FORMAT, { name, revision, ...(content ?? { document: null }) });
    this.#left.set(`${name}.json`, await this.#attempt("write", path, () => replaceFile(path, text)));
  }

  async #changedByOthers(files: ReadonlySet<string>): Promise<boolean> {
    for (const file of files) {
      const identity = await identifyFile(join(this.#folder, file));
      if (!this.#left.has(file) || this.#left.get(file) !== identity) return true;
    }
    return false;
  }

  async #attempt<T>(action: string, path: string, task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined) throw error;
      throw new DirectoryUnavailable(`cannot ${action} ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}

function parseFile(name: string, text: string): FileState {
  if (!SAFE_NAME.test(name)) return { kind: "damaged", reason: "its file name is not the name of an app" };
  const unsealed = unseal(FORMAT, text);
  if (!unsealed.ok) return { kind: "damaged", reason: unsealed.reason };
  const { name: inside, revision, document, releases } = unsealed.content;
  if (inside !== name) return { kind: "damaged", reason: `it holds the app ${JSON.stringify(inside)}` };
  if (document === null && isRevision(revision)) return { kind: "deleted", deleted: { name, revision } };
  if (!isRecord(document)) return { kind: "damaged", reason: "it holds no document" };
  const read = parseStoredApp(name, revision, { document, releases });
  return read.ok ? { kind: "app", app: read.app } : { kind: "damaged", reason: read.reason };
}

function revisionOf(state: Exclude<FileState, { kind: "damaged" }>): number {
  if (state.kind === "absent") return 0;
  return state.kind === "app" ? state.app.revision : state.deleted.revision;
}

/** Names come checked; this is the last door before the disk, where "../x" would leave the folder. */
function checkName(name: string): void {
  if (!SAFE_NAME.test(name)) throw new Error(`${JSON.stringify(name)} is not the name of an app`);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
