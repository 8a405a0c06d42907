import type { DirectoryContent, StoredApp } from "./directory.ts";

/** A name for which the directory's content is not taken. */
export interface KeptApp {
  readonly name: string;
  /** What a writer has to expect in the directory, which differs from what is in force. */
  readonly directory: number | "absent";
  /** What the directory answers, for people. */
  readonly answer: string;
}

export interface Reconciliation {
  readonly changes: readonly { readonly name: string; readonly app: StoredApp | undefined }[];
  readonly kept: readonly KeptApp[];
}

/**
 * What a directory that was read again means for what is in force: only what is newer is taken. An older revision, or
 * an app that is gone without a deletion, is far more likely an old copy, a lost file or a disk that is not mounted than
 * somebody's will, and taking it could send clients to servers that are long gone.
 *
 * `known`: the highest revision ever seen of each name, deletions included.
 */
export function reconcile(
  inForce: ReadonlyMap<string, StoredApp>,
  known: ReadonlyMap<string, number>,
  content: DirectoryContent,
): Reconciliation {
  const changes: { name: string; app: StoredApp | undefined }[] = [];
  const kept: KeptApp[] = [];
  const answered = new Set<string>();
  for (const app of content.apps) {
    const { name, revision } = app;
    answered.add(name);
    const seen = known.get(name) ?? 0;
    if (revision > seen) changes.push({ name, app });
    else if (inForce.get(name)?.revision !== revision) {
      kept.push({ name, directory: revision, answer: `revision ${revision}, older than ${seen}` });
    }
  }
  for (const { name, revision } of content.deleted) {
    answered.add(name);
    if (!inForce.has(name)) continue;
    const seen = known.get(name) ?? 0;
    if (revision > seen) {
      changes.push({ name, app: undefined });
      continue;
    }
    kept.push({
      name,
      directory: "absent",
      answer: `a deletion at revision ${revision}, not newer than ${seen}`,
    });
  }
  const damaged = new Set(content.damaged.map((app) => app.name));
  for (const name of inForce.keys()) {
    if (answered.has(name)) continue;
    kept.push({
      name,
      directory: "absent",
      answer: damaged.has(name) ? "a damaged file" : "no such app, and no deletion",
    });
  }
  return { changes, kept };
}

export interface Beginning {
  readonly apps: readonly StoredApp[];
  readonly kept: readonly KeptApp[];
  /** Apps of which the backup knows a later revision than the directory. */
  readonly older: readonly { readonly name: string; readonly revision: number; readonly answer: string }[];
}

/** What to start with: the directory is the truth, and the backup stands in for what is damaged in it. */
export function beginWith(content: DirectoryContent, backedUp: readonly StoredApp[]): Beginning {
  const apps = new Map(content.apps.map((app) => [app.name, app]));
  const deleted = new Set(content.deleted.map((app) => app.name));
  const damaged = new Set(content.damaged.map((app) => app.name));
  const kept: KeptApp[] = [];
  const older: { name: string; revision: number; answer: string }[] = [];
  for (const app of backedUp) {
    const { name, revision } = app;
    const answer = apps.get(name);
    if (answer !== undefined) {
      if (answer.revision < revision) older.push({ name, revision, answer: `revision ${answer.revision}` });
    } else if (damaged.has(name)) {
      apps.set(name, app);
      kept.push({ name, directory: "absent", answer: "a damaged file" });
    } else if (!deleted.has(name)) {
      older.push({ name, revision, answer: "no such app, and no deletion" });
    }
  }
  return { apps: [...apps.values()], kept, older };
}

/** Do both hold the same apps at the same revisions? */
export function sameRevisions(one: readonly StoredApp[], other: readonly StoredApp[]): boolean {
  const revisions = new Map(other.map((app) => [app.name, app.revision]));
  return one.length === other.length && one.every((app) => revisions.get(app.name) === app.revision);
}
