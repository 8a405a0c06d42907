/**
 * Who is next among the servers of one pool. Servers are known by their index in the pool's list; who of them is alive
 * is the pool's business, which offers those that may be chosen.
 */
export interface Balancer {
  /**
   * From now on only these may be chosen: ascending indices, each of a server with a weight above 0. The order of turns
   * goes on where it was, so that a change of health does not always favour the first servers of the list.
   */
  offer(indices: readonly number[]): void;
  /**
   * The index of the server whose turn it is, or -1 when all that are offered are to be skipped.
   * `key` is what the client is told apart by; `skip` are the few servers this request has tried already.
   */
  next(key: string, skip: readonly number[]): number;
}
