/** The connection that an answer goes over, for answers that last. */
export interface Connection {
  /** Aborted when the listener closes: the answer is to end then. */
  readonly closing: AbortSignal;
  /** Ends it at once, whatever is still to be sent. */
  readonly cut: () => void;
}
