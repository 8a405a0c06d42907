import {
  type AppContent,
  type ChangeTerms,
  type DeletedApp,
  type DeleteResult,
  type Directory,
  type DirectoryContent,
  type Expected,
  isExpected,
  type StoredApp,
  type WriteResult,
} from "./directory.ts";
import { LocalLocks } from "./locks.ts";
import { nextVersion } from "./stored-app.ts";

/** Apps that live as long as the process. */
export class MemoryDirectory implements Directory {
  readonly description: string = "memory";
  readonly locks: LocalLocks = new LocalLocks();
  readonly #apps = new Map<string, StoredApp>();
  readonly #deleted = new Map<string, DeletedApp>();

  read(): Promise<DirectoryContent> {
    return Promise.resolve({
      apps: [...this.#apps.values()],
      deleted: [...this.#deleted.values()],
      damaged: [],
    });
  }

  write(
    name: string,
    content: AppContent,
    expected: Expected,
    terms: ChangeTerms = {},
  ): Promise<WriteResult> {
    const before = this.#apps.get(name);
    const fenced = this.locks.refusal(terms.fence);
    if (fenced !== undefined) return Promise.resolve(fenced);
    if (!isExpected(expected, before)) return Promise.resolve({ kind: "stale", current: before });
    const known = before?.revision ?? this.#deleted.get(name)?.revision ?? 0;
    const app = nextVersion(name, content, known, terms.floor);
    this.#apps.set(name, app);
    this.#deleted.delete(name);
    return Promise.resolve({ kind: "written", app, before });
  }

  delete(name: string, expected: Expected, terms: ChangeTerms = {}): Promise<DeleteResult> {
    const before = this.#apps.get(name);
    const fenced = this.locks.refusal(terms.fence);
    if (fenced !== undefined) return Promise.resolve(fenced);
    if (before === undefined || !isExpected(expected, before)) {
      return Promise.resolve({ kind: "stale", current: before });
    }
    const revision = Math.max(before.revision, terms.floor ?? 0) + 1;
    this.#apps.delete(name);
    this.#deleted.set(name, { name, revision });
    return Promise.resolve({ kind: "deleted", before, revision });
  }

  /** Nobody else can change it: never calls back. */
  watch(_onChange: () => void): () => void {
    return () => undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
