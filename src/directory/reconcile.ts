import { isDeepStrictEqual } from "node:util";
import type { DirectoryContent, StoredApp } from "./directory.ts";

/** A name for which the directory's content is not taken. */
export interface KeptApp {
  readonly name: string;
  /** What a writer has to expect in the directory, which differs from what is in force. */
  readonly directory: number | "absent";
  /** What the directory holds, where that is an app that can be read. */
  readonly stored?: StoredApp;
  /** What the directory answers, for people. */
  readonly answer: string;
  /** It holds something, but what that is cannot be read. */
  readonly unreadable?: true;
}

export interface Reconciliation {
  readonly changes: readonly {
    readonly name: string;
    readonly app: StoredApp | undefined;
    /** Who made it, where the directory knows. */
    readonly origin: StoredApp["origin"];
  }[];
  readonly kept: readonly KeptApp[];
}

/**
 * What a directory that was read means for what is in force: only what is newer is taken. An older revision, other
 * content under the same revision, or an app that is gone without a deletion, is far more likely an old copy, a failover
 * that lost writes, a flush or a disk that is not mounted than somebody's will, and taking it could send clients to
 * servers that are long gone.
 *
 * `known`: the highest revision ever seen of each name, deletions included. `names`: what was asked for; absent: everything.
 */
export function reconcile(
  inForce: ReadonlyMap<string, StoredApp>,
  known: ReadonlyMap<string, number>,
  content: DirectoryContent,
  names: Iterable<string> = inForce.keys(),
): Reconciliation {
  const changes: Reconciliation["changes"][number][] = [];
  const kept: KeptApp[] = [];
  const answered = new Set<string>();
  for (const app of content.apps) {
    const { name, revision, origin } = app;
    answered.add(name);
    const seen = known.get(name) ?? 0;
    const current = inForce.get(name);
    if (revision > seen) changes.push({ name, app, origin });
    else if (current?.revision !== revision) {
      const answer = `revision ${revision}, older than ${seen}`;
      kept.push({ name, directory: revision, stored: app, answer });
    } else if (current !== app && !isDeepStrictEqual(current.document, app.document)) {
      const answer = `revision ${revision} with other content`;
      kept.push({ name, directory: revision, stored: app, answer });
    }
  }
  for (const { name, revision, origin } of content.deleted) {
    answered.add(name);
    if (!inForce.has(name)) continue;
    const seen = known.get(name) ?? 0;
    if (revision > seen) changes.push({ name, app: undefined, origin });
    else {
      const answer = `a deletion at revision ${revision}, not newer than ${seen}`;
      kept.push({ name, directory: "absent", answer });
    }
  }
  const damaged = new Map(content.damaged.map((app) => [app.name, app]));
  for (const name of names) {
    if (answered.has(name) || !inForce.has(name)) continue;
    const damage = damaged.get(name);
    kept.push(
      damage === undefined
        ? { name, directory: "absent", answer: "no such app, and no deletion" }
        : {
            name,
            directory: damage.revision ?? "absent",
            answer: `what cannot be read: ${damage.reason}`,
            unreadable: true,
          },
    );
  }
  return { changes, kept };
}
