import { formatProblems } from "../../config/format-problems.ts";
import type { AppDocument } from "../../config/app-document.ts";
import type { RedisConfig } from "../../config/halftone-config.ts";
import { redisText } from "../../config/redis-target.ts";
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
  type NotWritten,
  type Origin,
  type StoredApp,
  type WriteResult,
} from "../directory.ts";
import { ChangeWatch } from "./change-watch.ts";
import {
  type BesideValue,
  contentDigest,
  joinDocument,
  readBeside,
  rebase,
  splitDocument,
} from "./original-app.ts";
import { AUDIT, AUDIT_LENGTH, FENCE } from "./redis-keys.ts";
import { RedisLink } from "./redis-link.ts";
import { RedisLocks } from "./redis-locks.ts";
import { CHANGE_ORIGINAL, READ } from "./redis-scripts.ts";

const COMPARE_EVERY = 20_000;
/** How often a change is tried again because somebody else changed the app between reading and writing. */
const MOST_ATTEMPTS = 10;
/** Set by redis-cli, or by what writes for the original's gateways. */
const BY_HAND = { by: "redis", what: "set by hand" };

interface RawApp {
  readonly value: string | null;
  readonly beside: string | null;
  /** What lies in the value's place, if that is no text. */
  readonly odd?: string;
}

type OriginalState =
  | { readonly kind: "absent"; readonly known: number }
  | { readonly kind: "app"; readonly app: StoredApp }
  | { readonly kind: "deleted"; readonly deleted: DeletedApp }
  /** The value was set by somebody who knows no revisions. */
  | { readonly kind: "foreign"; readonly document: AppDocument; readonly known: number }
  | { readonly kind: "damaged"; readonly reason: string; readonly known: number };

export interface OriginalDirectoryOptions {
  readonly config: RedisConfig;
  /** The documents of the configuration: which apps there are, and what of them the original's form cannot carry. */
  readonly documents: readonly AppDocument[];
  readonly gateway: string;
  /** Ms since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Default 20 s. */
  readonly compareEvery?: number;
}

/**
 * The Redis of the original's gateways, shared with them: the key is the app's name, the value its converted form. Groups,
 * weights, testers and `deploy` live there; share and revision beside it, in `halftone:{NAME}:beside`; everything else in
 * the files of `apps`. A value that somebody else set is adopted: it is the next revision, with no share.
 */
export class OriginalDirectory implements Directory {
  readonly description: string;
  readonly locks: RedisLocks;
  readonly link: RedisLink;
  readonly #base: ReadonlyMap<string, AppDocument>;
  readonly #gateway: string;
  readonly #now: () => number;
  /** The highest revision known of each name: what lies beside a value may be lost. */
  readonly #highest = new Map<string, number>();
  /** The bytes last read of each name. */
  readonly #read = new Map<string, RawApp>();
  readonly #changes: ChangeWatch;

  constructor({ config, documents, gateway, now = Date.now, compareEvery }: OriginalDirectoryOptions) {
    this.description = redisText(config.target);
    this.#base = new Map(documents.map((document) => [document.name, document]));
    this.#gateway = gateway;
    this.#now = now;
    this.link = new RedisLink({
      config,
      key: FENCE,
      // Redis remembers which keys this connection read, as it does from here on, and tells when one changes.
      prepare: () => Promise.resolve(),
      onUp: () => this.#changes.tell(),
      onDown: () => this.#changes.tell(),
      onInvalidate: (key) => this.#changes.tell(key === null ? undefined : [nameOf(key)]),
    });
    this.locks = new RedisLocks(this.link);
    this.#changes = new ChangeWatch(() => this.#changed(), compareEvery ?? COMPARE_EVERY);
  }

  /** The parts that lie in files count as they are there now; what they name no longer is no app any more. */
  recall(apps: readonly StoredApp[]): readonly StoredApp[] {
    return apps.flatMap((app) => {
      this.#see(app.name, app.revision);
      const base = this.#base.get(app.name);
      return base === undefined ? [] : [{ ...app, document: rebase(base, app.document) }];
    });
  }

  async read(names: Iterable<string> = this.#base.keys()): Promise<DirectoryContent> {
    const wanted = [...names].filter((name) => this.#base.has(name));
    const apps: StoredApp[] = [];
    const deleted: DeletedApp[] = [];
    const damaged: DamagedApp[] = [];
    for (const [name, raw] of await this.#readRaw(wanted)) {
      const { state } = await this.#settle(name, raw);
      if (state.kind === "app") apps.push(state.app);
      else if (state.kind === "deleted") deleted.push(state.deleted);
      else if (state.kind === "damaged")
        damaged.push({ name, setAside: `the key ${name}`, reason: state.reason });
    }
    return { apps, deleted, damaged };
  }

  async write(
    name: string,
    { document, releases }: AppContent,
    expected: Expected,
    terms: ChangeTerms = {},
  ): Promise<WriteResult> {
    const base = this.#base.get(name);
    if (base === undefined) return unknownName(name);
    const split = splitDocument(base, document);
    if (!split.ok) return { kind: "refused", problems: split.problems };
    const { value, more, joined } = split.value;
    const made = await this.#change(name, expected, terms, (revision, origin) => ({
      value,
      beside: { revision, ...origin, content: contentDigest(value), more, releases },
    }));
    if (made.kind !== "made") return made;
    const { before, revision, origin } = made;
    const app = { name, revision, document: joined, ...(releases !== undefined && { releases }), origin };
    return { kind: "written", app, before };
  }

  async delete(name: string, expected: Expected, terms: ChangeTerms = {}): Promise<DeleteResult> {
    const made = await this.#change(name, expected, terms, (revision, origin, before) =>
      before === undefined
        ? undefined
        : { value: "", beside: { revision, ...origin, content: "", more: {}, deleted: true } },
    );
    if (made.kind !== "made") return made;
    if (made.before === undefined) throw new Error(`app ${name} was deleted, but there was none`);
    return { kind: "deleted", before: made.before, revision: made.revision };
  }

  watch(onChange: (names?: readonly string[]) => void): () => void {
    return this.#changes.add(onChange);
  }

  async close(): Promise<void> {
    this.#changes.close();
    await this.link.close();
  }

  /** Reads, makes the change, and writes it if nothing changed in between; else once more. */
  async #change(
    name: string,
    expected: Expected,
    terms: ChangeTerms,
    make: (
      revision: number,
      origin: Origin,
      before: StoredApp | undefined,
    ) => { readonly value: string; readonly beside: BesideValue } | undefined,
  ): Promise<
    | NotWritten
    | {
        readonly kind: "made";
        readonly before: StoredApp | undefined;
        readonly revision: number;
        readonly origin: Origin;
      }
  > {
    const { floor = 0, note = { by: "unknown", what: "put" }, fence } = terms;
    const origin = { ...note, gateway: this.#gateway };
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const found = (await this.#readRaw([name])).get(name) ?? NOTHING;
      const { state, raw } = await this.#settle(name, found);
      const before = state.kind === "app" ? state.app : undefined;
      if (!isExpected(expected, before)) return { kind: "stale", current: before };
      const current = Math.max(revisionOf(state), floor, this.#highest.get(name) ?? 0);
      const revision = current + 1;
      const change = make(revision, origin, before);
      if (change === undefined) return { kind: "stale", current: before };
      const answer = await this.#store(
        name,
        raw,
        { ...change, current, origin, aside: state.kind === "damaged" },
        fence,
      );
      if (answer === "fenced") return { kind: "fenced", lock: fence?.lock ?? "" };
      if (answer !== "written") continue;
      this.#see(name, revision);
      return { kind: "made", before, revision, origin };
    }
    throw new DirectoryUnavailable(
      `app ${name} was changed ${MOST_ATTEMPTS} times while a change of it was made`,
    );
  }

  async #store(
    name: string,
    raw: RawApp,
    change: {
      readonly value: string;
      readonly beside: BesideValue;
      readonly current: number;
      readonly origin: Origin;
      /** What stands cannot be read: it is kept where it can be looked at. */
      readonly aside?: boolean;
    },
    fence?: ChangeTerms["fence"],
  ): Promise<string> {
    const beside = JSON.stringify({ ...change.beside, at: new Date(this.#now()).toISOString() });
    const answer = await this.link.use((client) =>
      client.eval(CHANGE_ORIGINAL, {
        keys: [name, besideKey(name), AUDIT, FENCE + (fence?.lock ?? "")],
        arguments: [
          raw.value ?? "",
          raw.beside ?? "",
          fence === undefined ? "" : String(fence.token),
          change.value,
          beside,
          name,
          String(change.current),
          String(change.beside.revision),
          JSON.stringify(change.origin),
          AUDIT_LENGTH,
          change.aside === true ? asideKey(name) : "",
        ],
      }),
    );
    return answer as string;
  }

  async #readRaw(names: readonly string[]): Promise<Map<string, RawApp>> {
    const raws = new Map<string, RawApp>();
    if (names.length === 0) return raws;
    const keys = names.flatMap((name) => [name, besideKey(name)]);
    const answer = await this.link.use((client) => client.eval(READ, { keys, arguments: [] }));
    const values = answer as (string | null | readonly [string])[];
    for (const [index, name] of names.entries()) {
      const [value = null, beside = null] = values.slice(2 * index, 2 * index + 2);
      const odd = typeof value === "string" || value === null ? {} : { odd: value[0] };
      const raw = { value: textOf(value), beside: textOf(beside), ...odd };
      raws.set(name, raw);
      this.#read.set(name, raw);
    }
    return raws;
  }

  /** What the raw values mean, and which these are; one that somebody else set is given its revision. */
  async #settle(
    name: string,
    found: RawApp,
  ): Promise<{ readonly state: Exclude<OriginalState, { kind: "foreign" }>; readonly raw: RawApp }> {
    let raw = found;
    const base = this.#base.get(name);
    if (base === undefined) return { state: { kind: "absent", known: 0 }, raw };
    let state = readState(base, raw);
    for (let attempt = 0; state.kind === "foreign" && attempt < MOST_ATTEMPTS; attempt += 1) {
      const known = Math.max(state.known, this.#highest.get(name) ?? 0);
      const revision = known + 1;
      const origin = { ...BY_HAND, gateway: this.#gateway };
      const beside = { revision, ...origin, content: contentDigest(raw.value ?? ""), more: {} };
      await this.#store(name, raw, { value: "=", beside, current: known, origin });
      // Adopted by this gateway or by another one: it is read again either way.
      raw = (await this.#readRaw([name])).get(name) ?? NOTHING;
      state = readState(base, raw);
    }
    this.#see(name, revisionOf(state));
    if (state.kind !== "foreign") return { state, raw };
    const reason = "its value is not UTF-8, or is changed all the time";
    return { state: { kind: "damaged", reason, known: state.known }, raw };
  }

  #see(name: string, revision: number): void {
    this.#highest.set(name, Math.max(revision, this.#highest.get(name) ?? 0));
  }

  async #changed(): Promise<readonly string[]> {
    const before = new Map(this.#read);
    const now = await this.#readRaw([...this.#base.keys()]);
    return [...now].flatMap(([name, raw]) => {
      const known = before.get(name) ?? NOTHING;
      const same = known.value === raw.value && known.beside === raw.beside && known.odd === raw.odd;
      return same ? [] : [name];
    });
  }
}

const NOTHING: RawApp = { value: null, beside: null };

function readState(base: AppDocument, raw: RawApp): OriginalState {
  const { name } = base;
  const beside = readBeside(raw.beside);
  const known = beside?.revision ?? 0;
  const origin = originOf(beside);
  if (raw.odd !== undefined) {
    return { kind: "damaged", reason: `found ${raw.odd}, expected the original's converted form`, known };
  }
  if (raw.value === null) {
    if (beside?.deleted !== true) return { kind: "absent", known };
    return { kind: "deleted", deleted: { name, revision: known, ...origin } };
  }
  const own = joinDocument(base, raw.value, beside?.more ?? {});
  if (own.ok && beside?.deleted !== true && beside?.content === contentDigest(raw.value)) {
    const releases = beside.releases === undefined ? {} : { releases: beside.releases };
    return { kind: "app", app: { name, revision: known, document: own.value, ...releases, ...origin } };
  }
  const foreign = joinDocument(base, raw.value, {});
  if (foreign.ok) return { kind: "foreign", document: foreign.value, known };
  const problems = formatProblems(foreign.problems);
  return { kind: "damaged", reason: problems.join("; "), known };
}

function originOf(beside: BesideValue | undefined): { readonly origin?: Origin } {
  const { by, what, gateway } = beside ?? {};
  return by === undefined || what === undefined || gateway === undefined
    ? {}
    : { origin: { by, what, gateway } };
}

function revisionOf(state: OriginalState): number {
  if (state.kind === "app") return state.app.revision;
  return state.kind === "deleted" ? state.deleted.revision : state.known;
}

function unknownName(name: string): NotWritten {
  const expected = "an app named by `apps` of halftone.yaml, as the directory has the original layout";
  return { kind: "refused", problems: [{ path: "name", found: JSON.stringify(name), expected }] };
}

function besideKey(name: string): string {
  return `halftone:{${name}}:beside`;
}

/** The second follows. */
function asideKey(name: string): string {
  return `halftone:{${name}}:aside:`;
}

function textOf(value: string | null | readonly [string]): string | null {
  return typeof value === "string" ? value : null;
}

function nameOf(key: string): string {
  return /^halftone:\{(.*)\}:beside$/.exec(key)?.[1] ?? key;
}
