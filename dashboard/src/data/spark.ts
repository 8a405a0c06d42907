/** Seconds that a sparkline shows. */
export const SPARK_SECONDS = 60;

/** A rate a second over the last minute, in place: one number for each second. */
export class Spark {
  readonly #values = new Float32Array(SPARK_SECONDS);
  #last = 0;
  /** Nothing is known of the time before. */
  #first = Infinity;

  /** `at`: ms since the epoch. */
  add(at: number, value: number): void {
    const second = Math.floor(at / 1000);
    if (second + SPARK_SECONDS <= this.#last) return;
    this.#fillUntil(second);
    this.#first = Math.min(this.#first, second);
    this.#values[second % SPARK_SECONDS] = value;
  }

  /** The oldest first. A second without news is as the one before: an end is told too. Of the time before nothing is known. */
  values(at: number): readonly (number | undefined)[] {
    this.#fillUntil(Math.floor(at / 1000));
    return Array.from({ length: SPARK_SECONDS }, (_, index) => {
      const second = this.#last - SPARK_SECONDS + 1 + index;
      return second < this.#first ? undefined : this.#values[second % SPARK_SECONDS];
    });
  }

  #fillUntil(second: number): void {
    const first = Math.max(this.#last + 1, second - SPARK_SECONDS + 1);
    const value = this.#values[this.#last % SPARK_SECONDS]!;
    for (let passed = first; passed <= second; passed += 1) this.#values[passed % SPARK_SECONDS] = value;
    this.#last = Math.max(this.#last, second);
  }
}
