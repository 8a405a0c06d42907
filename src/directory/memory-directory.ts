import type { AppDocument } from "../config/app-document.ts";
import {
  type DeletedApp,
  type DeleteResult,
  type Directory,
  type DirectoryContent,
  type Expected,
  isExpected,
  type StoredApp,
  type WriteResult,
} from "./directory.ts";
import { nextVersion } from "./stored-app.ts";

/** Apps that live as long as the process. */
export class MemoryDirectory implements Directory {
  readonly description: string = "memory";
  readonly #apps = new Map<string, StoredApp>();
  readonly #deleted = new Map<string, DeletedApp>();

  read(): Promise<DirectoryContent> {
    return Promise.resolve({
      apps: [...this.#apps.values()],
      deleted: [...this.#deleted.values()],
      damaged: [],
    });
  }

  write(name: string, document: AppDocument, expected: Expected, floor?: number): Promise<WriteResult> {
    const before = this.#apps.get(name);
    if (!isExpected(expected, before)) return Promise.resolve({ kind: "stale", current: before });
    const known = before?.revision ?? this.#deleted.get(name)?.revision ?? 0;
    const app = nextVersion(name, document, known, floor);
    this.#apps.set(name, app);
    this.#deleted.delete(name);
    return Promise.resolve({ kind: "written", app, before });
  }

  delete(name: string, expected: Expected): Promise<DeleteResult> {
    const before = this.#apps.get(name);
    if (before === undefined || !isExpected(expected, before)) {
      return Promise.resolve({ kind: "stale", current: before });
    }
    const revision = before.revision + 1;
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
