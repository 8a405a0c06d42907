import type { AppDocument } from "../config/app-document.ts";
import type { Problem } from "../config/problem.ts";
import type { DirectoryContent, StoredApp } from "./directory.ts";
import { type KeptApp, type Reconciliation, reconcile } from "./reconcile.ts";
import { RouteClaims } from "./route-claims.ts";

/** The apps that count now, and what has to be remembered of them so that no revision is ever given twice. */
export class AppsInForce {
  readonly #apps = new Map<string, StoredApp>();
  /** The highest revision seen of each name, deletions included. */
  readonly #known = new Map<string, number>();
  readonly #claims = new RouteClaims();
  /** Names for which the directory holds something else than what is in force. */
  #kept: ReadonlyMap<string, KeptApp> = new Map();

  list(): readonly StoredApp[] {
    return [...this.#apps.values()];
  }

  get(name: string): StoredApp | undefined {
    return this.#apps.get(name);
  }

  /** 0 for a name never seen. */
  known(name: string): number {
    return this.#known.get(name) ?? 0;
  }

  see(seen: { readonly name: string; readonly revision: number }): void {
    this.#known.set(seen.name, Math.max(seen.revision, this.known(seen.name)));
  }

  enter(app: StoredApp): void {
    this.#claims.change(app.name, this.#apps.get(app.name)?.document, app.document);
    this.#apps.set(app.name, app);
    this.see(app);
  }

  leave(name: string): void {
    this.#claims.change(name, this.#apps.get(name)?.document, undefined);
    this.#apps.delete(name);
  }

  /** The routes of the document that another app claims. */
  conflicts(name: string, document: AppDocument): readonly Problem[] {
    return this.#claims.conflicts(name, document);
  }

  /** What the directory holds of a name for which its content is not in force; undefined if there is no difference. */
  kept(name: string): KeptApp | undefined {
    return this.#kept.get(name);
  }

  allKept(): readonly KeptApp[] {
    return [...this.#kept.values()];
  }

  /** `names`: what was asked for; of the others nothing new is known. Absent: everything was. */
  keep(kept: readonly KeptApp[], names?: ReadonlySet<string>): void {
    const unread = names === undefined ? [] : this.allKept().filter(({ name }) => !names.has(name));
    this.#kept = new Map([...unread, ...kept].map((app) => [app.name, app]));
  }

  /** The directory and what is in force agree on the name again. */
  agree(name: string): void {
    if (this.#kept.has(name)) this.keep([], new Set([name]));
  }

  reconcile(content: DirectoryContent, names?: Iterable<string>): Reconciliation {
    return reconcile(this.#apps, this.#known, content, names);
  }
}
