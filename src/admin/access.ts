import { refusal } from "./api-problem.ts";
import type { Audit } from "./audit.ts";
import { FailedAttempts } from "./failed-attempts.ts";
import { Sessions } from "./sessions.ts";
import type { KnownToken, TokenBook } from "./token-book.ts";
import { isUnguessable } from "./token-text.ts";

export type Admission =
  | { readonly kind: "admitted"; readonly token: KnownToken }
  | { readonly kind: "refused"; readonly answer: Response };

/** Who may come in: tokens, the sessions begun with them, and those who try others. */
export class Access {
  readonly tokens: TokenBook;
  readonly sessions: Sessions;
  readonly #attempts: FailedAttempts;

  constructor(options: {
    readonly tokens: TokenBook;
    readonly audit: Pick<Audit, "record">;
    /** Milliseconds since the epoch. */
    readonly now: () => number;
  }) {
    const { tokens, audit, now } = options;
    this.tokens = tokens;
    this.sessions = new Sessions(tokens, now);
    this.#attempts = new FailedAttempts(audit, now);
  }

  /**
   * Whose token this is, or the 401 or 429 that refuses it. Within the delay that failures of its address have caused,
   * only a right token that nobody could have guessed is listened to: many people come from one address (a tunnel, a NAT),
   * and a forgotten script there must not keep them from a rollback. Of a short token the delay would be none if right
   * guesses were told from wrong ones in it.
   */
  admit(text: string, address: string | undefined): Admission {
    const presented = this.tokens.authenticate(text);
    const wait = this.#attempts.wait(address);
    const isKnown = presented.kind === "known";
    if (isKnown && (wait === 0 || isUnguessable(text))) return { kind: "admitted", token: presented.token };
    if (wait > 0) {
      this.#attempts.turnAway(address);
      return { kind: "refused", answer: tooMany(wait) };
    }
    const found = this.#whatIs(presented);
    this.#attempts.count(address, found);
    return { kind: "refused", answer: unauthorized(found, 'Bearer error="invalid_token"') };
  }

  #whatIs(presented: ReturnType<TokenBook["authenticate"]>): string {
    if (presented.kind === "unknown") {
      const alone = this.tokens.damage === undefined ? "" : " (tokens.json is damaged: admin alone is known)";
      return `a token that is not known${alone}`;
    }
    const { name, expires } = presented.token;
    return `the token ${name}, which expired at ${new Date(expires ?? 0).toISOString()}`;
  }
}

/** 401; `challenge`: what WWW-Authenticate says. */
export function unauthorized(found: string, challenge: string = "Bearer"): Response {
  const expected = "Authorization: Bearer and a token of the admin API, or a session begun with one";
  return refusal("unauthorized", `found ${found}, expected ${expected}`, {
    headers: { "WWW-Authenticate": challenge },
  });
}

function tooMany(wait: number): Response {
  const seconds = Math.ceil(wait / 1000);
  const detail =
    "found another attempt soon after several wrong tokens from this address, " +
    `expected none for ${seconds} s; this one was not looked at, and nothing was changed`;
  return refusal("too-many-attempts", detail, { headers: { "Retry-After": String(seconds) } });
}
