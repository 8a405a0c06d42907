import { randomBytes } from "node:crypto";
import type { KnownToken, TokenBook } from "./token-book.ts";
import { digestOf } from "./token-text.ts";

/** How long a session lasts without a request, in ms. */
export const SESSION_LIFE: number = 12 * 3_600_000;
/** A browser that keeps no cookies logs in with each request. */
const MOST_PER_TOKEN = 100;
/** How often a browser is told that its cookie is good for longer, at most, in ms. */
const RENEWAL = 5 * 60_000;

interface Session {
  /** Digest of the token it stands for. */
  readonly token: string;
  used: number;
  renewed: number;
}

/** A session in use. */
export interface OpenSession {
  readonly token: KnownToken;
  /** When it ends unless it is used again; milliseconds since the epoch. */
  readonly expires: number;
  /** The browser should hear of that. */
  readonly renew: boolean;
}

/**
 * Who is logged in: in memory only, so a restart logs everybody out, and by the hashes of the ids. Each session stands for a
 * token and can do what that one can at the moment: revoked or expired, the token takes its sessions with it.
 */
export class Sessions {
  readonly #tokens: TokenBook;
  readonly #now: () => number;
  /** By hash of the id, the one longest unused first. */
  readonly #sessions = new Map<string, Session>();

  constructor(tokens: TokenBook, now: () => number) {
    this.#tokens = tokens;
    this.#now = now;
  }

  /** A new session of this token; of too many, the one longest unused ends. */
  begin(token: KnownToken): { readonly id: string; readonly expires: number } {
    this.#clear();
    const siblings = [...this.#sessions].filter(([, session]) => session.token === token.digest);
    if (siblings.length >= MOST_PER_TOKEN) this.#sessions.delete(siblings[0]![0]);
    const id = randomBytes(32).toString("base64url");
    const now = this.#now();
    this.#sessions.set(keyOf(id), { token: token.digest, used: now, renewed: now });
    return { id, expires: this.#end(token) };
  }

  /** Undefined: there is none, or it is over. */
  use(id: string): OpenSession | undefined {
    const key = keyOf(id);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    this.#sessions.delete(key);
    const token = this.#tokenOf(session);
    if (token === undefined) return undefined;
    const now = this.#now();
    const renew = now - session.renewed >= RENEWAL;
    session.used = now;
    if (renew) session.renewed = now;
    this.#sessions.set(key, session);
    return { token, expires: this.#end(token), renew };
  }

  /** Whether it stands; being asked does not prolong it. */
  isOpen(id: string): boolean {
    const session = this.#sessions.get(keyOf(id));
    return session !== undefined && this.#tokenOf(session) !== undefined;
  }

  end(id: string): void {
    this.#sessions.delete(keyOf(id));
  }

  /** Undefined: the session is over, or its token is. */
  #tokenOf(session: Session): KnownToken | undefined {
    return this.#now() - session.used < SESSION_LIFE ? this.#tokens.current(session.token) : undefined;
  }

  #clear(): void {
    for (const [key, session] of this.#sessions) {
      if (this.#tokenOf(session) === undefined) this.#sessions.delete(key);
    }
  }

  #end({ expires }: KnownToken): number {
    return Math.min(this.#now() + SESSION_LIFE, expires ?? Infinity);
  }
}

function keyOf(id: string): string {
  return digestOf(id).toString("hex");
}
