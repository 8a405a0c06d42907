import { createHash, randomBytes } from "node:crypto";

/** 32 bytes in base64url. */
const LENGTH = 43;

/** 256 random bits behind a mark by which scanners find a token that got into a repository or a log. */
export function newToken(): string {
  return `ht_${randomBytes(32).toString("base64url")}`;
}

/** As long as a random one, which nobody guesses; a shorter one was thought up by a person. */
export function isUnguessable(token: string): boolean {
  return token.length >= LENGTH;
}

/**
 * How tokens and session ids are kept. A plain hash is right: with 256 random bits there is nothing to try through, which
 * is what slow password hashes (bcrypt, scrypt, Argon2) are made against, and every request pays for it.
 */
export function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
