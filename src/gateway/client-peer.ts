/** Who is at the other end of a client's connection, as its listener found out. */
export interface ClientPeer {
  /** Canonical address of the peer itself, be it client or proxy. */
  readonly address: string;
  /** The connection is encrypted. */
  readonly secure: boolean;
}
