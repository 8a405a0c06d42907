/** What is known of a request when a try of it has failed. */
export interface FailedTry {
  /** What any server may have seen of the request, over all its tries. */
  readonly sent: "nothing" | "some";
  readonly idempotent: boolean;
  /** Every byte of the body read so far is still there to be sent again. */
  readonly bodyHeld: boolean;
  /** A byte of a response went to the client. */
  readonly responseStarted: boolean;
}

/** Why a failed try must not be repeated on another server. */
export type RepeatRefusal = "responseStarted" | "notIdempotent" | "bodyGone";

/**
 * Why repeating would not be safe; undefined when it is. A server that was sent something may have acted on it, so
 * only methods whose repetition means the same are sent again (RFC 9110, 9.2.2).
 */
export function repeatRefusal(failed: FailedTry): RepeatRefusal | undefined {
  if (failed.responseStarted) return "responseStarted";
  if (failed.sent === "nothing") return undefined;
  if (!failed.idempotent) return "notIdempotent";
  return failed.bodyHeld ? undefined : "bodyGone";
}

export function mayRepeat(failed: FailedTry): boolean {
  return repeatRefusal(failed) === undefined;
}

/** RFC 9110, 9.2.2. Methods are case-sensitive; one we do not know is not idempotent. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
    case "TRACE":
    case "PUT":
    case "DELETE":
      return true;
    default:
      return false;
  }
}
