import { createHash, timingSafeEqual } from "node:crypto";

/** The bearer tokens that open the admin API. */
export interface TokenSet {
  /** The name of the token presented, or undefined if it is none of ours. */
  authenticate(token: string): string | undefined;
}

/**
 * Holds digests only. Every known token is compared, in a time that depends neither on how much of a guess was right
 * nor on its length: `timingSafeEqual` wants equal lengths, so SHA-256 comes first.
 */
export function tokenSet(tokens: readonly { readonly name: string; readonly token: string }[]): TokenSet {
  const known = tokens.map(({ name, token }) => ({ name, digest: digest(token) }));
  return {
    authenticate(token) {
      const presented = digest(token);
      let found: string | undefined;
      for (const { name, digest } of known) {
        if (timingSafeEqual(digest, presented)) found = name;
      }
      return found;
    },
  };
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
