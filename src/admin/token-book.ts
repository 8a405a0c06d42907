import { timingSafeEqual } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, removeLeftovers } from "../directory/durable-file.ts";
import { SerialQueue } from "../directory/serial-queue.ts";
import type { Role } from "./role.ts";
import { readTokenFile, writeTokenFile, type StoredToken } from "./token-file.ts";
import { digestOf, newToken } from "./token-text.ts";

const ADMIN = "admin";
/** Names that stand in the audit for others than people with a token. */
const RESERVED = new Set([ADMIN, "start", "halftone", "directory", "redis", "unknown"]);
const MOST_TOKENS = 1000;

/** A token that opens the admin API. */
export interface KnownToken {
  readonly name: string;
  readonly role: Role;
  /** Milliseconds since the epoch; null: never. */
  readonly expires: number | null;
  /** Tells it from another one that has its name later. SHA-256, in hex. */
  readonly digest: string;
}

export type Presented =
  | { readonly kind: "known" | "expired"; readonly token: KnownToken }
  | { readonly kind: "unknown" };

export type TokenRefusal =
  | { readonly kind: "taken" | "full" | "fixed"; readonly reason: string }
  | { readonly kind: "missing" }
  | { readonly kind: "unavailable"; readonly reason: string };

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  /** In ms; absent: for ever. */
  readonly lifetime?: number;
}

/** What is told of a token; of the one named admin nobody knows since when. */
export interface TokenFacts {
  readonly name: string;
  readonly role: Role;
  readonly created: string | null;
  readonly by: string | null;
  readonly expires: string | null;
}

/**
 * The bearer tokens of the admin API: `admin`, which comes from `admin-token` or the configuration, and those made since,
 * in `tokens.json` of the data folder. Digests only.
 *
 * A file that is not whole is never replaced: until it was repaired or removed, `admin` alone is known, `damage` says why,
 * and no token is made or revoked. Without that the next one made would be the end of all others.
 */
export class TokenBook {
  readonly path: string;
  readonly #admin: KnownToken;
  readonly #now: () => number;
  readonly #queue = new SerialQueue();
  #stored: readonly StoredToken[] = [];
  #known: ReadonlyMap<string, KnownToken> = new Map();
  #damage: string | undefined;

  private constructor(folder: string, adminToken: string, now: () => number) {
    this.path = join(folder, "tokens.json");
    this.#admin = { name: ADMIN, role: "admin", expires: null, digest: digestOf(adminToken).toString("hex") };
    this.#now = now;
    this.#take([]);
  }

  /** `admin`: the text of the token of that name. Never throws for what is in the file. */
  static async open(options: {
    readonly folder: string;
    readonly admin: string;
    readonly now: () => number;
  }): Promise<TokenBook> {
    const book = new TokenBook(options.folder, options.admin, options.now);
    await mkdir(options.folder, { recursive: true });
    await removeLeftovers(options.folder).catch(() => undefined);
    await book.#read();
    return book;
  }

  /** Why the tokens that were made cannot be read; undefined when all is well. */
  get damage(): string | undefined {
    return this.#damage;
  }

  /**
   * Whose token this is. Every known one is compared, in a time that depends neither on how much of a guess was right nor
   * on its length: `timingSafeEqual` wants equal lengths, so SHA-256 comes first.
   */
  authenticate(text: string): Presented {
    const presented = digestOf(text);
    let token: KnownToken | undefined;
    for (const one of this.#known.values()) {
      if (timingSafeEqual(Buffer.from(one.digest, "hex"), presented)) token = one;
    }
    if (token === undefined) return { kind: "unknown" };
    return { kind: this.#isOver(token) ? "expired" : "known", token };
  }

  /** The token of this digest, as long as it is good for anything. */
  current(digest: string): KnownToken | undefined {
    const token = this.#known.get(digest);
    return token === undefined || this.#isOver(token) ? undefined : token;
  }

  /** Expired ones too, until they are revoked. */
  async list(): Promise<readonly TokenFacts[] | TokenRefusal> {
    return await this.#queue.run(async () => {
      const unavailable = await this.#unavailable();
      if (unavailable !== undefined) return unavailable;
      const admin = { name: ADMIN, role: "admin", created: null, by: null, expires: null } as const;
      return [admin, ...this.#stored.map(factsOf)];
    });
  }

  /** Makes a token; its text is known to the caller alone from then on. */
  async create(
    { name, role, lifetime }: NewToken,
    by: string,
  ): Promise<{ readonly kind: "created"; readonly text: string; readonly token: TokenFacts } | TokenRefusal> {
    return await this.#queue.run(async () => {
      const unavailable = await this.#unavailable();
      if (unavailable !== undefined) return unavailable;
      const refused = this.#objection(name);
      if (refused !== undefined) return refused;
      const text = newToken();
      const now = this.#now();
      const token: StoredToken = {
        name,
        role,
        digest: digestOf(text).toString("hex"),
        created: new Date(now).toISOString(),
        by,
        expires: lifetime === undefined ? null : new Date(now + lifetime).toISOString(),
      };
      const failed = await this.#write([...this.#stored, token]);
      return failed ?? { kind: "created", text, token: factsOf(token) };
    });
  }

  async revoke(name: string): Promise<{ readonly kind: "revoked" } | TokenRefusal> {
    return await this.#queue.run(async () => {
      const unavailable = await this.#unavailable();
      if (unavailable !== undefined) return unavailable;
      if (name === ADMIN) {
        const reason =
          "the token admin is that of admin.token in halftone.yaml, else of the file admin-token in the data folder";
        return { kind: "fixed", reason: `${reason}; it is changed there, with a restart` };
      }
      const others = this.#stored.filter((token) => token.name !== name);
      if (others.length === this.#stored.length) return { kind: "missing" };
      return (await this.#write(others)) ?? { kind: "revoked" };
    });
  }

  #objection(name: string): TokenRefusal | undefined {
    if (RESERVED.has(name.toLowerCase())) {
      return { kind: "taken", reason: `the name ${name} stands for something else in the audit` };
    }
    // Not even in other letters: people could not tell them apart.
    const other = this.#stored.find((token) => token.name.toLowerCase() === name.toLowerCase());
    if (other !== undefined) {
      const { role, expires } = other;
      const until = expires === null ? "" : `, until ${expires}`;
      return { kind: "taken", reason: `found the token ${other.name} (${role}${until}); revoke it first` };
    }
    if (this.#stored.length < MOST_TOKENS) return undefined;
    return { kind: "full", reason: `found ${MOST_TOKENS} tokens, which is the most; revoke one first` };
  }

  /** A damaged file is looked at again each time: it may have been repaired, or removed, meanwhile. */
  async #unavailable(): Promise<TokenRefusal | undefined> {
    if (this.#damage !== undefined) await this.#read();
    if (this.#damage === undefined) return undefined;
    const remedy =
      "put a whole copy in its place, or remove it: all tokens but admin have to be made anew then";
    return { kind: "unavailable", reason: `${this.#damage}; ${remedy}` };
  }

  async #read(): Promise<void> {
    const file = await readTokenFile(this.path);
    this.#damage = file.kind === "read" ? undefined : `${this.path} cannot be used: ${file.reason}`;
    if (file.kind === "read") this.#take(file.tokens);
  }

  /** On disk first: what was acknowledged outlives a crash, and what was refused never was in force. */
  async #write(tokens: readonly StoredToken[]): Promise<TokenRefusal | undefined> {
    try {
      await writeTokenFile(this.path, tokens);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return { kind: "unavailable", reason: `${this.path} cannot be written: ${(error as Error).message}` };
    }
    this.#take(tokens);
    return undefined;
  }

  #take(tokens: readonly StoredToken[]): void {
    this.#stored = tokens;
    const stored = tokens.map(({ name, role, digest, expires }): KnownToken => ({
      name,
      role,
      digest,
      expires: expires === null ? null : Date.parse(expires),
    }));
    this.#known = new Map([this.#admin, ...stored].map((token) => [token.digest, token]));
  }

  #isOver({ expires }: KnownToken): boolean {
    return expires !== null && expires <= this.#now();
  }
}

function factsOf({ name, role, created, by, expires }: StoredToken): TokenFacts {
  return { name, role, created, by, expires };
}
