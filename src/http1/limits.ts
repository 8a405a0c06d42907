/** What one head (or one trailer section) may hold. Beyond it a request is answered 414 or 431. */
export interface HeadLimits {
  /** Bytes from the first byte of the start line to the end of the empty line. */
  readonly head: number;
  /** Field lines. */
  readonly headers: number;
}

/** The defaults of `gateway.limits`: 16 KiB and 100 field lines. */
export const DEFAULT_HEAD_LIMITS: HeadLimits = { head: 16 * 1024, headers: 100 };
