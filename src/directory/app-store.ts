import { type AppDocument, parseAppDocument } from "../config/app-document.ts";
import { AppsInForce } from "./apps-in-force.ts";
import { BackupKeeper } from "./backup-keeper.ts";
import type { Backup } from "./backup.ts";
import { type AppChange, ChangeFeed, type ChangeListener } from "./change-feed.ts";
import type { Difference, DirectoryReach, DirectoryStatus } from "./directory-status.ts";
import {
  type AppContent,
  type DamagedApp,
  type DeleteResult,
  type Directory,
  type DirectoryContent,
  DirectoryUnavailable,
  type Expected,
  type Fence,
  isExpected,
  type StoredApp,
} from "./directory.ts";
import type { Log } from "./log.ts";
import { SerialQueue } from "./serial-queue.ts";
import { NAME_GIVEN_TWICE, NO_DEPLOY, type SeedResult, type StoreResult } from "./store-result.ts";

import { TooSlow, within } from "./within.ts";

export type { AppChange, ChangeListener } from "./change-feed.ts";
export type { DirectoryStatus } from "./directory-status.ts";
export type { SeedResult, StoreResult } from "./store-result.ts";

export interface AppStoreOptions {
  readonly directory: Directory;
  readonly backup: Backup | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Log;
  /** How often a directory out of reach is tried again, in ms, default 1000. */
  readonly retryEvery?: number;
  /** How long a start waits for a directory that answers slowly if there is a backup, in ms, default 10 s. */
  readonly startWithin?: number;
  /** The gateway's setting in force, by which documents that are put are judged. Absent: addresses are not judged. */
  readonly allowServers?: () => readonly string[];
  /** What is in force when neither directory nor backup can be read: at revision 0, so that anything else counts more. */
  readonly lastResort?: readonly AppDocument[];
  /** Why a change of a standing app by hand is refused now; `after` undefined: its deletion. Absent: none is. */
  readonly guard?: (before: StoredApp, after: AppDocument | undefined) => string | undefined;
  /** The directory was out of reach, and answers again. */
  readonly onReachable?: () => void;
}

/**
 * The one door through which app documents are read and changed. What it lists is what is in force: it follows the
 * directory, and when that is out of reach or would go backwards it keeps what was last known.
 *
 * Changes run one after another, so that checks across apps cannot race, and one is answered when every listener is
 * done with it. A listener must therefore not wait for a change of its own.
 */
export class AppStore {
  readonly #directory: Directory;
  readonly #backup: BackupKeeper;
  readonly #now: () => number;
  readonly #log: Log;
  readonly #retryEvery: number;
  readonly #startWithin: number;
  readonly #allowServers: (() => readonly string[]) | undefined;
  readonly #lastResort: readonly AppDocument[];
  readonly #guard: NonNullable<AppStoreOptions["guard"]>;
  readonly #onReachable: () => void;
  readonly #queue = new SerialQueue();
  readonly #feed: ChangeFeed;
  readonly #inForce = new AppsInForce();
  #damaged: readonly DamagedApp[] = [];
  /** Names that may have changed elsewhere and were not read yet. */
  #toRead: Set<string> | "everything" | undefined;
  #reach: DirectoryReach;
  #retry: NodeJS.Timeout | undefined;
  #stopWatch: (() => void) | undefined;
  #closed = false;

  private constructor(options: AppStoreOptions) {
    this.#directory = options.directory;
    this.#backup = new BackupKeeper(options.backup, options.now, options.log);
    this.#feed = new ChangeFeed(options.log);
    this.#now = options.now;
    this.#log = options.log;
    this.#retryEvery = options.retryEvery ?? 1000;
    this.#startWithin = options.startWithin ?? 10_000;
    this.#allowServers = options.allowServers;
    this.#lastResort = options.lastResort ?? [];
    this.#guard = options.guard ?? (() => undefined);
    this.#onReachable = options.onReachable ?? (() => undefined);
    this.#reach = { state: "current", since: this.#time() };
  }

  /**
   * Reads the directory, or the backup when the directory is out of reach; throws `DirectoryUnavailable` naming both
   * when neither can be read.
   */
  static async open(options: AppStoreOptions): Promise<AppStore> {
    const store = new AppStore(options);
    await store.#queue.run(() => store.#start());
    return store;
  }

  /** Every app in force. */
  list(): readonly StoredApp[] {
    return this.#inForce.list();
  }

  get(name: string): StoredApp | undefined {
    return this.#inForce.get(name);
  }

  /** Stores a document given in any form `parseAppDocument` takes. An equal document is a change like any other. */
  async put(name: string, input: unknown, expected: Expected, by: string): Promise<StoreResult> {
    const allowServers = this.#allowServers?.();
    return await this.#change<StoreResult>(() =>
      this.#store(name, input, expected, by, () => "put", { allowServers }),
    );
  }

  /**
   * The original's switch: which group is under test (0: none), the share of the public sent there (absent: 0), and whether
   * testers are (absent: they are).
   */
  async setDeploy(
    name: string,
    setting: { readonly deploy: unknown; readonly share?: unknown; readonly testing?: boolean | undefined },
    expected: Expected,
    by: string,
  ): Promise<StoreResult> {
    return await this.#change<StoreResult>(async () => {
      for (let attempt = 1; ; attempt += 1) {
        const current = this.#inForce.get(name);
        if (current === undefined) return { kind: "missing" };
        if (setting.deploy === undefined) return NO_DEPLOY;
        const { testing: _, ...document } = current.document;
        const edited = {
          ...document,
          deploy: setting.deploy,
          share: setting.share === undefined ? 0 : setting.share,
          ...(setting.testing === false && { testing: false }),
        };
        // The edit was made on what stands now, so "any" must not overwrite what someone else wrote meanwhile.
        const seen = expected === "any" ? current.revision : expected;
        const result = await this.#store(name, edited, seen, by, switched);
        if (result.kind !== "stale" || expected !== "any" || attempt === MOST_ATTEMPTS) return result;
        await drawApart(attempt);
      }
    });
  }

  async delete(name: string, expected: Expected, by: string): Promise<StoreResult> {
    return await this.#change<StoreResult>(async () => {
      for (let attempt = 1; ; attempt += 1) {
        const before = this.#inForce.get(name);
        if (before === undefined) return { kind: "missing" };
        const attempts = expected === "any" ? MOST_ATTEMPTS : 2;
        if (!isExpected(expected, before) || attempt > attempts) return { kind: "stale", current: before };
        const reason = this.#guard(before, undefined);
        if (reason !== undefined) return { kind: "locked", reason };
        const result = await this.#deleteFromDirectory(before, by);
        if (result.kind === "deleted") {
          this.#inForce.see({ name, revision: result.revision });
          await this.#apply({ by, what: "delete", name, before, after: undefined });
          return { kind: "deleted", before };
        }
        if (result.kind === "refused") return { kind: "invalid", problems: result.problems };
        await this.#takeDirectory(new Set([name]));
      }
    });
  }

  /**
   * Changes the document and what is kept of its releases as one, whatever `guard` says. `make` gets the app that stands,
   * and is asked anew when somebody else was faster; undefined: nothing is to be changed.
   */
  async advance(
    name: string,
    by: string,
    make: (app: StoredApp) => (AppContent & { readonly what: string }) | undefined,
    fence?: Fence,
  ): Promise<StoreResult | { readonly kind: "unchanged"; readonly app: StoredApp }> {
    return await this.#change(async () => {
      for (let attempt = 1; ; attempt += 1) {
        const current = this.#inForce.get(name);
        if (current === undefined) return { kind: "missing" };
        const made = make(current);
        if (made === undefined) return { kind: "unchanged", app: current };
        const result = await this.#store(name, made.document, current.revision, by, () => made.what, {
          releases: made.releases,
          fence,
        });
        if (result.kind !== "stale" || attempt === MOST_ATTEMPTS) return result;
        await drawApart(attempt);
      }
    });
  }

  /** Where the directory holds something else than what is in force, as that would be a step back. */
  differences(): readonly Difference[] {
    return this.#inForce.allKept().map(({ name, answer, stored }) => ({
      name,
      answer,
      inForce: this.#inForce.get(name),
      stored,
    }));
  }

  /**
   * Ends a difference for every gateway of the directory: the side named by `from` is stored anew, above all revisions
   * known, so that nobody takes it for old. "missing": there is no difference of that name. What stands in the directory
   * has to be what was seen there: a change that somebody makes meanwhile is not overwritten.
   */
  async restore(name: string, from: "gateway" | "directory", by: string): Promise<StoreResult> {
    return await this.#change<StoreResult>(async () => {
      await this.#takeDirectory(new Set([name]));
      const kept = this.#inForce.kept(name);
      const current = this.#inForce.get(name);
      if (kept === undefined) return { kind: "missing" };
      if (from === "directory" && kept.unreadable === true) {
        // It says nothing of what somebody wanted, least of all that the app is to go.
        const problem = {
          path: "",
          found: kept.answer,
          expected: "an app that can be read, or one that is gone",
        };
        return { kind: "invalid", problems: [problem] };
      }
      const document = from === "gateway" ? current?.document : kept.stored?.document;
      const what = `restore from ${from}`;
      if (document !== undefined) {
        return await this.#store(name, document, current?.revision ?? "absent", by, () => what);
      }
      const result =
        current === undefined
          ? await this.#directory.delete(name, kept.directory, {
              floor: this.#inForce.known(name),
              note: { by, what },
            })
          : await this.#deleteFromDirectory(current, by);
      if (result.kind === "refused") return { kind: "invalid", problems: result.problems };
      if (result.kind !== "deleted") return { kind: "stale", current };
      const before = current ?? result.before;
      this.#inForce.see({ name, revision: result.revision });
      await this.#apply({ by, what, name, before, after: undefined });
      return { kind: "deleted", before };
    });
  }

  /** Puts the documents whose name is neither in force, nor was deleted, nor waits to be repaired. */
  async seed(documents: readonly AppDocument[], by: string): Promise<SeedResult> {
    const stored: StoredApp[] = [];
    const present: string[] = [];
    const deleted: string[] = [];
    const refused: { name: string; result: StoreResult }[] = [];
    const seen = new Set<string>();
    for (const document of documents) {
      const { name } = document;
      const result = seen.has(name)
        ? NAME_GIVEN_TWICE
        : await this.#change<StoreResult>(() => this.#seedOne(document, by));
      seen.add(name);
      if (result.kind === "stored") stored.push(result.app);
      else if (result.kind === "stale") present.push(name);
      else if (result.kind === "missing") deleted.push(name);
      else refused.push({ name, result });
    }
    return { stored, present, deleted, refused };
  }

  /**
   * The listener is told of every change from now on, in order. It is waited for before a write is answered, so that
   * "stored" means "in force here"; one that fails is logged and undoes nothing. Returns the function that ends it.
   */
  subscribe(listener: ChangeListener): () => void {
    return this.#feed.subscribe(listener);
  }

  status(): DirectoryStatus {
    const backup = this.#backup.status();
    return {
      directory: this.#directory.description,
      ...this.#reach,
      damaged: this.#damaged,
      differences: this.#inForce.allKept().length,
      ...(backup === undefined ? {} : { backup }),
    };
  }

  /** Reads the directory again and applies what is newer. Its being out of reach shows in the status. */
  async reload(): Promise<void> {
    await this.#reload(() => undefined);
  }

  /** Waits for changes and the backup under way, then closes the directory. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#stopWatch?.();
    await this.#queue.run(() => this.#backup.settled());
    await this.#directory.close();
  }

  async #reload(wanted: () => ReadonlySet<string> | undefined): Promise<void> {
    await this.#queue.run(async () => {
      if (this.#closed) return;
      const names = wanted();
      try {
        await this.#takeDirectory(this.#reach.state === "backup" ? undefined : names);
      } catch (error) {
        if (!(error instanceof DirectoryUnavailable)) throw error;
        this.#outOfReach(error.message);
      }
    });
  }

  async #start(): Promise<void> {
    const backup = await this.#backup.load();
    const saved = backup.kind === "loaded" ? backup.apps : [];
    const backedUp = this.#directory.recall?.(saved) ?? saved;
    for (const app of backedUp) this.#enter(app);
    try {
      const read = this.#directory.read();
      await this.#takeDirectory(undefined, backup.kind === "loaded" ? this.#inTime(read) : read);
      // What was taken from the directory is being saved; only one that is missing is not.
      if (backup.kind === "loaded" && backup.fellBack !== undefined) this.#saveBackup();
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      if (backup.kind === "loaded") this.#damaged = backup.damaged;
      else this.#resort(error, this.#backup.describe(backup));
      this.#outOfReach(error.message);
    }
  }

  /** Each answer may come in time, and all of them together much later than traffic can wait. */
  async #inTime(read: Promise<DirectoryContent>): Promise<DirectoryContent> {
    try {
      return await within(this.#startWithin, read);
    } catch (error) {
      if (!(error instanceof TooSlow)) throw error;
      const reason = `it has not answered in full within ${this.#startWithin} ms`;
      throw new DirectoryUnavailable(reason, { cause: error });
    }
  }

  #resort(cause: DirectoryUnavailable, noBackup: string): void {
    if (this.#lastResort.length === 0) {
      throw new DirectoryUnavailable(
        `no apps to start with: the directory (${this.#directory.description}) is out of reach: ${cause.message}; ` +
          `and ${noBackup}`,
        { cause },
      );
    }
    this.#log.error(`${noBackup}: the apps of the configuration are in force as they are written there`);
    for (const document of this.#lastResort) this.#enter({ name: document.name, revision: 0, document });
  }

  /** Only ever goes forwards. `names`: only these are read. Throws `DirectoryUnavailable`. */
  async #takeDirectory(
    names?: ReadonlySet<string>,
    read: Promise<DirectoryContent> = this.#directory.read(names),
  ): Promise<void> {
    const content = await read;
    const { changes, kept } = this.#inForce.reconcile(content, names);
    for (const one of kept) {
      const before = this.#inForce.kept(one.name);
      if (before?.directory === one.directory && before.answer === one.answer) continue;
      this.#log.warn(
        { app: one.name, directory: one.answer },
        `the directory answers ${one.answer} for app ${one.name}; what was in force stays in force until it is changed ` +
          "(halftone directory diff)",
      );
    }
    this.#inForce.keep(kept, names);
    this.#noteDamage(content.damaged, names);
    if (this.#reach.state === "backup") {
      this.#reach = { state: "current", since: this.#time() };
      this.#log.info({ directory: this.#directory.description }, "the directory answers again");
      this.#onReachable();
    }
    this.#watch();
    for (const one of [...content.apps, ...content.deleted]) this.#inForce.see(one);
    for (const { name, app, origin } of changes) {
      const before = this.#inForce.get(name);
      const by = origin === undefined ? FROM_DIRECTORY : `${origin.by} at ${origin.gateway}`;
      const what = origin?.what ?? FROM_DIRECTORY;
      await this.#apply({ by, what, name, before, after: app, elsewhere: true });
    }
  }

  async #change<T>(
    task: () => Promise<T>,
  ): Promise<T | { readonly kind: "unavailable"; readonly reason: string }> {
    return await this.#queue.run(async () => {
      if (this.#closed) return { kind: "unavailable", reason: "the gateway is shutting down" };
      if (this.#reach.state === "backup") {
        return {
          kind: "unavailable",
          reason: `the directory (${this.#directory.description}) is out of reach: ${this.#reach.reason ?? ""}`,
        };
      }
      try {
        return await task();
      } catch (error) {
        if (!(error instanceof DirectoryUnavailable)) throw error;
        this.#log.error({ err: error }, `a change was not stored: ${error.message}`);
        return { kind: "unavailable", reason: error.message };
      }
    });
  }

  async #store(
    name: string,
    input: unknown,
    expected: Expected,
    by: string,
    what: (document: AppDocument) => string,
    terms: {
      readonly allowServers?: readonly string[] | undefined;
      readonly fence?: Fence | undefined;
      /** Present: instead of those that stand, and the guard is not asked. */
      readonly releases?: unknown;
    } = {},
  ): Promise<StoreResult> {
    const parsed = parseAppDocument(input, { name, allowServers: terms.allowServers });
    if (!parsed.ok) return { kind: "invalid", problems: parsed.problems };
    const document = parsed.value;
    const attempts = expected === "any" ? MOST_ATTEMPTS : 2;
    for (let attempt = 1; ; attempt += 1) {
      const current = this.#inForce.get(name);
      if (!isExpected(expected, current) || attempt > attempts) return { kind: "stale", current };
      const reason =
        current === undefined || "releases" in terms ? undefined : this.#guard(current, document);
      if (reason !== undefined) return { kind: "locked", reason };
      const problems = this.#inForce.conflicts(name, document);
      if (problems.length > 0) return { kind: "invalid", problems };
      const releases = "releases" in terms ? terms.releases : current?.releases;
      const content = { document, ...(releases !== undefined && { releases }) };
      const note = { by, what: what(document) };
      const result = await this.#directory.write(name, content, this.#inDirectory(name), {
        floor: this.#inForce.known(name),
        note,
        ...(terms.fence !== undefined && { fence: terms.fence }),
      });
      if (result.kind === "written") {
        const before = result.before ?? current;
        await this.#apply({ ...note, name, before, after: result.app });
        return { kind: "stored", app: result.app, created: before === undefined };
      }
      if (result.kind === "refused") return { kind: "invalid", problems: result.problems };
      if (result.kind === "fenced") return result;
      // Someone else was first: what they wrote comes into force, and only a writer who expected that may go on.
      await this.#takeDirectory(new Set([name]));
      if (expected === "any") await drawApart(attempt);
    }
  }

  /** What a writer has to expect in the directory, so that nothing is overwritten that is not known here. */
  #inDirectory(name: string): Expected {
    const damaged = this.#damaged.find((app) => app.name === name);
    return (
      this.#inForce.kept(name)?.directory ??
      this.#inForce.get(name)?.revision ??
      damaged?.revision ??
      "absent"
    );
  }

  async #seedOne(document: AppDocument, by: string): Promise<StoreResult> {
    const { name } = document;
    const damaged = this.#damaged.find((app) => app.name === name);
    if (damaged !== undefined && this.#inForce.get(name) === undefined) {
      // A seed says nothing of how far a release had come; starting over could send everybody to a group under update.
      const reason = `the stored document is damaged and set aside as ${damaged.setAside}; put a document to replace it`;
      return { kind: "unavailable", reason };
    }
    if (this.#inForce.get(name) === undefined && this.#inForce.known(name) > 0) return { kind: "missing" };
    // What is in force for want of a directory is to be stored as soon as there is one.
    const expected = this.#inForce.get(name)?.revision === 0 ? 0 : "absent";
    return await this.#store(name, document, expected, by, () => "seed");
  }

  async #deleteFromDirectory(before: StoredApp, by: string): Promise<DeleteResult> {
    const { name, document, releases } = before;
    let { revision } = before;
    const floor = this.#inForce.known(name);
    const kept = this.#inForce.kept(name);
    const note = { by, what: "delete" };
    if (kept !== undefined) {
      // The directory has lost this version: bring it back first, so that the deletion's revision is above all known.
      const content = { document, ...(releases !== undefined && { releases }) };
      const restored = await this.#directory.write(name, content, kept.directory, { floor, note });
      if (restored.kind !== "written") return restored;
      ({ revision } = restored.app);
    }
    return await this.#directory.delete(name, revision, { floor, note });
  }

  async #apply(change: Omit<AppChange, "at">): Promise<void> {
    const { name, after } = change;
    if (after === undefined) this.#inForce.leave(name);
    else this.#enter(after);
    if (change.elsewhere !== true) {
      this.#inForce.agree(name);
      this.#damaged = this.#damaged.filter((app) => app.name !== name);
    }
    this.#saveBackup();
    await this.#feed.tell({ at: this.#time(), ...change });
  }

  #saveBackup(): void {
    this.#backup.save(() => this.list());
  }

  #enter(app: StoredApp): void {
    const conflicts = this.#inForce.conflicts(app.name, app.document);
    for (const { expected } of conflicts) {
      this.#log.warn({ app: app.name }, `app ${app.name} needs ${expected}`);
    }
    this.#inForce.enter(app);
  }

  /** `names`: what was read; of the others nothing new is known. */
  #noteDamage(damaged: readonly DamagedApp[], names?: ReadonlySet<string>): void {
    const unread = names === undefined ? [] : this.#damaged.filter(({ name }) => !names.has(name));
    const read = damaged.map((app) => {
      const known = this.#damaged.find(
        (one) => one.setAside === app.setAside && one.revision === app.revision,
      );
      if (known !== undefined) return known;
      const inForce = `revision in force: ${this.#inForce.get(app.name)?.revision ?? "none"}`;
      this.#log.error({ ...app }, `app ${app.name}: ${app.reason}; it lies at ${app.setAside}; ${inForce}`);
      return app;
    });
    this.#damaged = [...unread, ...read];
  }

  #outOfReach(reason: string): void {
    if (this.#reach.state === "current") {
      this.#log.error(
        { directory: this.#directory.description },
        `the directory is out of reach, what was last known is in force: ${reason}`,
      );
      this.#reach = { state: "backup", since: this.#time(), reason };
    } else this.#reach = { ...this.#reach, reason };
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#reloadSoon(), this.#retryEvery).unref();
  }

  #watch(): void {
    if (this.#closed) return;
    this.#stopWatch ??= this.#directory.watch(
      (names) => this.#reloadSoon(names),
      (error) => {
        this.#stopWatch = undefined;
        this.#log.warn(
          { err: error },
          "changes made elsewhere are not noticed any more, until the next reload",
        );
      },
    );
  }

  /** Changes that come while the directory is read are read together, after it. */
  #reloadSoon(names?: readonly string[]): void {
    const waiting = this.#toRead;
    if (names === undefined || waiting === "everything") this.#toRead = "everything";
    else this.#toRead = new Set([...(waiting ?? []), ...names]);
    if (waiting !== undefined) return;
    this.#reload(() => this.#takeToRead()).catch((error: unknown) =>
      this.#log.error({ err: error }, "the directory could not be read again"),
    );
  }

  #takeToRead(): ReadonlySet<string> | undefined {
    const names = this.#toRead;
    this.#toRead = undefined;
    return names === "everything" ? undefined : names;
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}

/** How often a change of whatever stands is made anew because somebody else was faster. */
const MOST_ATTEMPTS = 50;
/** Writers who meet again and again draw apart: a pause by chance, longer from time to time, of at most so many ms. */
const LONGEST_PAUSE = 50;

async function drawApart(attempt: number): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE, 2 * attempt);
  await new Promise((resolve) => {
    setTimeout(resolve, Math.random() * longest);
  });
}

/** Who and what of a change that was made elsewhere. */
const FROM_DIRECTORY = "directory";

function switched({ deploy, share }: AppDocument): string {
  return `deploy ${deploy} share ${share}`;
}
