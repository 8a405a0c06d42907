/** Entries at first, a power of two. */
const FIRST_SIZE = 1024;
/** Clients that are remembered at most; beyond that fewer take part. */
const MOST_CLIENTS = 1 << 18;
const ALL = 2 ** 32;

/**
 * A small number for each client, by the hash of its key: open addressing in two typed arrays, as this is asked with
 * every request. When there are too many clients, half of them take part no longer, chosen by their hash: the
 * same ones in every process, and on both sides of a comparison alike.
 */
export class ClientMarks {
  #keys: Uint32Array = new Uint32Array(FIRST_SIZE);
  #marks: Uint32Array = new Uint32Array(FIRST_SIZE);
  #size = 0;
  /** Hashes from here on take no part. */
  #limit: number = ALL;

  /** Part of all clients that take part, more than 0 to 1. */
  get part(): number {
    return this.#limit / ALL;
  }

  /** `client`: 1 to 2^32 - 1. */
  takesPart(client: number): boolean {
    return client < this.#limit;
  }

  get(client: number): number {
    return this.#marks[this.#find(client)]!;
  }

  set(client: number, mark: number): void {
    const slot = this.#find(client);
    this.#marks[slot] = mark;
    if (this.#keys[slot] === client) return;
    this.#keys[slot] = client;
    this.#size += 1;
    if (this.#size > MOST_CLIENTS) this.halve();
    else if (this.#size * 2 > this.#keys.length) this.#rebuild(this.#keys.length * 2);
  }

  /** Half of those that take part do so no longer. */
  halve(): void {
    this.#limit /= 2;
    this.#rebuild(this.#keys.length);
  }

  /** Nobody is remembered; who takes part stays as it is. */
  clear(): void {
    this.#keys = new Uint32Array(FIRST_SIZE);
    this.#marks = new Uint32Array(FIRST_SIZE);
    this.#size = 0;
  }

  /** The client's place, or the free one where it belongs. At most half of the places are taken. */
  #find(client: number): number {
    const mask = this.#keys.length - 1;
    // The hash orders who takes part, so that its high bits say little when few do; the low ones always differ.
    let slot = client & mask;
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== client) slot = (slot + 1) & mask;
    return slot;
  }

  #rebuild(length: number): void {
    const keys = this.#keys;
    const marks = this.#marks;
    this.#keys = new Uint32Array(length);
    this.#marks = new Uint32Array(length);
    this.#size = 0;
    for (const [index, client] of keys.entries()) {
      if (client === 0 || !this.takesPart(client)) continue;
      const slot = this.#find(client);
      this.#keys[slot] = client;
      this.#marks[slot] = marks[index]!;
      this.#size += 1;
    }
  }
}
