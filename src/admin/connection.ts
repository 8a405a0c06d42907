/** The connection that a request came by and its answer goes over. */
export interface Connection {
  /** Its end of node:http. */
  readonly incoming: { readonly socket: { readonly remoteAddress?: string | undefined } };
  /** Aborted when the listener closes: the answer is to end then. */
  readonly closing: AbortSignal;
  /** Ends it at once, whatever is still to be sent. */
  readonly cut: () => void;
}
