/** Entries at first, a power of two. */
const FIRST_SIZE = 1024;
/** Clients that are remembered at most; beyond that fewer take part. */
export const MOST_CLIENTS: number = 1 << 18;
/** Clients have numbers below this one. */
const ALL = 2 ** 31;

/** Whether the client is one of those that take part, when that part (more than 0 to 1) of all does. */
export function isAmong(part: number, client: number): boolean {
  return client < part * ALL;
}

/**
 * A small number for each client, by the hash of its key: open addressing in two typed arrays, as this is asked with
 * every request. When there are too many clients, half of them take part no longer, chosen by their hash: the
 * same ones in every process, and on both sides of a comparison alike.
 */
export class ClientMarks {
  readonly #scatter: number;
  #keys: Uint32Array = new Uint32Array(FIRST_SIZE);
  #marks: Uint32Array = new Uint32Array(FIRST_SIZE);
  #size = 0;
  #part = 1;

  /**
   * `scatter`: a whole number that nobody outside knows. Clients choose their keys, and could choose very many whose places
   * are one after the other; multiplied by an odd number that they do not know they are not (Dietzfelbinger et al., J.
   * Algorithms 1997).
   */
  constructor(scatter: number) {
    this.#scatter = scatter | 1;
  }

  /** Part of all clients that take part, more than 0 to 1. */
  get part(): number {
    return this.#part;
  }

  /** `client`: 1 to 2^31 - 1. */
  takesPart(client: number): boolean {
    return isAmong(this.#part, client);
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
    this.#part /= 2;
    this.#rebuild(this.#keys.length);
  }

  /** Nobody is remembered, and everybody takes part again. */
  clear(): void {
    this.#part = 1;
    this.#keys = new Uint32Array(FIRST_SIZE);
    this.#marks = new Uint32Array(FIRST_SIZE);
    this.#size = 0;
  }

  /** The client's place, or the free one where it belongs. At most half of the places are taken. */
  #find(client: number): number {
    const mask = this.#keys.length - 1;
    let slot = Math.imul(client, this.#scatter) >>> Math.clz32(mask);
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
