/** An endless sequence of positions 0 to n-1 in which each comes in proportion to its weight. */
export interface Turns {
  next(): number;
}
