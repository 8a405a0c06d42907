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
  type Expected,
  type Origin,
  type StoredApp,
  type WriteResult,
} from "../directory.ts";
import { ChangeWatch } from "./change-watch.ts";
import type { RedisClient } from "./redis-client.ts";
import { APPS, ASIDE, AUDIT, AUDIT_LENGTH, FENCE, REVISIONS } from "./redis-keys.ts";
import { RedisLink } from "./redis-link.ts";
import { RedisLocks } from "./redis-locks.ts";
import { ADOPT, DELETE, DIGESTS, READ, WRITE } from "./redis-scripts.ts";
import { digest, readValue, type StoredValue, writeValue } from "./stored-value.ts";

/** Values asked for at once: few enough that no answer holds up the others of this server. */
const PAGE = 200;
/** How often every value is compared with what was read of it, in ms, plus up to half of that. */
const SCAN_EVERY = 20_000;
/** Written by somebody who knows no gateway: redis-cli. */
const BY_HAND: Origin = { by: "redis", what: "set by hand", gateway: "redis" };

export interface RedisDirectoryOptions {
  readonly config: RedisConfig;
  /** This gateway's name, for the origin of its changes. */
  readonly gateway: string;
  /** Ms since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Default 20 s. */
  readonly scanEvery?: number;
}

/**
 * Documents in a Redis that several gateways share. Each app is one key; writes compare and set by a script. Redis tells
 * of every key that changes, whoever changes it (client tracking in broadcast mode), and a scan that compares digests
 * finds what such a message did not reach for.
 *
 * A bare document under an app's key, set by hand, is adopted: it is given a revision by the first gateway that reads it.
 */
export class RedisDirectory implements Directory {
  readonly description: string;
  readonly locks: RedisLocks;
  readonly link: RedisLink;
  readonly #gateway: string;
  readonly #now: () => number;
  /** What was last read of each name. Equal bytes are not parsed again. */
  readonly #read = new Map<string, { readonly digest: string; readonly value: StoredValue }>();
  /** The highest revision known of each name: an index may be lost. */
  readonly #highest = new Map<string, number>();
  readonly #changes: ChangeWatch;

  constructor({ config, gateway, now = Date.now, scanEvery = SCAN_EVERY }: RedisDirectoryOptions) {
    this.description = redisText(config.target);
    this.#gateway = gateway;
    this.#now = now;
    this.link = new RedisLink({
      config,
      key: REVISIONS,
      prepare,
      onUp: () => this.#changes.tell(),
      onDown: () => this.#changes.tell(),
      onInvalidate: (key) => this.#changes.tell(key === null ? undefined : [key.slice(APPS.length)]),
    });
    this.locks = new RedisLocks(this.link);
    this.#changes = new ChangeWatch(() => this.#changed(), scanEvery);
  }

  recall(apps: readonly StoredApp[]): readonly StoredApp[] {
    for (const { name, revision } of apps) this.#see(name, revision);
    return apps;
  }

  async read(names?: ReadonlySet<string>): Promise<DirectoryContent> {
    const wanted = names === undefined ? await this.#names() : [...names];
    const apps: StoredApp[] = [];
    const deleted: DeletedApp[] = [];
    const damaged: DamagedApp[] = [];
    for (let start = 0; start < wanted.length; start += PAGE) {
      const page = wanted.slice(start, start + PAGE);
      const answer = await this.link.use((client) =>
        client.eval(READ, { keys: page.map(keyOf), arguments: [] }),
      );
      const values = answer as (string | null | readonly [string])[];
      for (const [index, name] of page.entries()) {
        const value = await this.#settle(name, values[index] ?? null);
        if (value.kind === "app") apps.push(value.app);
        else if (value.kind === "deleted") deleted.push(value.deleted);
        else if (value.kind === "damaged") {
          const { kind: _, ...damage } = value;
          damaged.push({ name, setAside: `the key ${keyOf(name)}`, ...damage });
        }
      }
    }
    if (names === undefined) this.#forgetAllBut(new Set(wanted));
    return { apps, deleted, damaged };
  }

  async write(
    name: string,
    content: AppContent,
    expected: Expected,
    terms: ChangeTerms = {},
  ): Promise<WriteResult> {
    const answer = await this.#change(WRITE, name, content, expected, terms);
    if (answer.kind !== "written") return answer;
    const { before, after } = answer;
    if (after.kind !== "app") throw new Error(`what was written of app ${name} is ${after.kind}`);
    return { kind: "written", app: after.app, before: before.kind === "app" ? before.app : undefined };
  }

  async delete(name: string, expected: Expected, terms: ChangeTerms = {}): Promise<DeleteResult> {
    const answer = await this.#change(DELETE, name, "deleted", expected, terms);
    if (answer.kind !== "written") return answer;
    const { before, after } = answer;
    if (before.kind !== "app" || after.kind !== "deleted") {
      throw new Error(`app ${name} was deleted, but was ${before.kind} before and is ${after.kind} now`);
    }
    return { kind: "deleted", before: before.app, revision: after.deleted.revision };
  }

  watch(onChange: (names?: readonly string[]) => void): () => void {
    return this.#changes.add(onChange);
  }

  async close(): Promise<void> {
    this.#changes.close();
    await this.link.close();
  }

  async #change(
    script: string,
    name: string,
    content: AppContent | "deleted",
    expected: Expected,
    { floor = 0, note = { by: "unknown", what: "put" }, fence }: ChangeTerms,
  ): Promise<
    | { readonly kind: "written"; readonly before: StoredValue; readonly after: StoredValue }
    | { readonly kind: "stale"; readonly current: StoredApp | undefined }
    | { readonly kind: "fenced"; readonly lock: string }
  > {
    const origin = { ...note, gateway: this.#gateway };
    const keys = [keyOf(name), REVISIONS, AUDIT, FENCE + (fence?.lock ?? "")];
    const args = [
      String(expected),
      String(floor),
      fence === undefined ? "" : String(fence.token),
      name,
      writeValue(origin, new Date(this.#now()).toISOString(), content),
      JSON.stringify(origin),
      AUDIT_LENGTH,
      `${ASIDE}${name}:`,
    ];
    const answer = await this.link.use((client) => client.eval(script, { keys, arguments: args }));
    const [kind, first = "", after = ""] = answer as string[];
    const before = readValue(name, first === "" ? null : first);
    if (kind === "fenced") return { kind, lock: fence?.lock ?? "" };
    if (kind === "stale") return { kind, current: before.kind === "app" ? before.app : undefined };
    return { kind: "written", before, after: this.#remember(name, after) };
  }

  /** What the raw value means; a bare document is given its revision. A list says what it is in place of a text. */
  async #settle(name: string, raw: string | null | readonly [string]): Promise<StoredValue> {
    if (raw !== null && typeof raw !== "string") {
      const [what] = raw;
      const value = { kind: "damaged", reason: `found ${what}, expected a document` } as const;
      this.#read.set(name, { digest: what, value });
      return value;
    }
    const value = this.#remember(name, raw);
    if (value.kind !== "bare" || raw === null) return value;
    const rest = writeValue(BY_HAND, new Date(this.#now()).toISOString(), value);
    const adopted = await this.link.use((client) =>
      client.eval(ADOPT, {
        keys: [keyOf(name), REVISIONS, AUDIT],
        arguments: [
          raw,
          String(this.#highest.get(name) ?? 0),
          name,
          rest,
          JSON.stringify(BY_HAND),
          AUDIT_LENGTH,
        ],
      }),
    );
    const settled = this.#remember(name, adopted === "" ? null : (adopted as string));
    if (settled.kind !== "bare") return settled;
    // As text it is what was read, but its bytes are not; or it was set again this moment, of which a message tells.
    return { kind: "damaged", reason: "its value is not UTF-8, or was changed while it was read" };
  }

  #remember(name: string, raw: string | null): StoredValue {
    if (raw === null) {
      this.#read.delete(name);
      return { kind: "absent" };
    }
    const sum = digest(raw);
    const known = this.#read.get(name);
    if (known?.digest === sum) return known.value;
    const value = readValue(name, raw);
    if (value.kind === "app") this.#see(name, value.app.revision);
    else if (value.kind === "deleted") this.#see(name, value.deleted.revision);
    this.#read.set(name, { digest: sum, value });
    return value;
  }

  #see(name: string, revision: number): void {
    this.#highest.set(name, Math.max(revision, this.#highest.get(name) ?? 0));
  }

  #forgetAllBut(names: ReadonlySet<string>): void {
    for (const name of this.#read.keys()) if (!names.has(name)) this.#read.delete(name);
  }

  /** Every name that has a key. */
  async #names(): Promise<string[]> {
    const names = new Set<string>();
    let cursor = "0";
    do {
      const page = await this.link.use((client) =>
        client.scan(cursor, { MATCH: `${APPS.replaceAll(/[{}]/g, "\\$&")}*`, COUNT: 1000 }),
      );
      for (const key of page.keys) names.add(key.slice(APPS.length));
      ({ cursor } = page);
    } while (cursor !== "0");
    return [...names];
  }

  /** Every name whose value is not what was read of it. */
  async #changed(): Promise<readonly string[]> {
    const names = await this.#names();
    const changed: string[] = [];
    const present = new Set(names);
    for (const name of this.#read.keys()) if (!present.has(name)) changed.push(name);
    for (let start = 0; start < names.length; start += PAGE) {
      const page = names.slice(start, start + PAGE);
      const digests = await this.link.use((client) =>
        client.eval(DIGESTS, { keys: page.map(keyOf), arguments: [] }),
      );
      for (const [index, name] of page.entries()) {
        if (this.#read.get(name)?.digest !== (digests as string[])[index]) changed.push(name);
      }
    }
    return changed;
  }
}

/** Redis sends the names of all keys below `APPS` that change, also by scripts of this connection, whatever NOLOOP says. */
async function prepare(client: RedisClient): Promise<void> {
  await client.sendCommand(["CLIENT", "TRACKING", "OFF"]);
  await client.sendCommand(["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", APPS]);
}

function keyOf(name: string): string {
  return APPS + name;
}
