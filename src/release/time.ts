/** Time as the parts of a release take it, so that tests need not wait. */
export interface Time {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after so many ms; what is returned takes that back. */
  after(milliseconds: number, call: () => void): () => void;
}

export const REAL_TIME: Time = {
  now: () => Date.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};
