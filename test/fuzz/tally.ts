/** What a run counted; plain data, as it travels between processes and into a file. */
export interface Tally {
  inputs: number;
  bothAccept: number;
  bothRefuse: number;
  /** Not finished: a part of a head or body, as far as it goes without fault. */
  incomplete: number;
  /** We refuse what llhttp accepts, by the code of our refusal. */
  stricter: Record<string, number>;
  /** We accept what llhttp refuses or reads otherwise, by the name in `EXPLAINED`. */
  explained: Record<string, number>;
  /** Heads or bodies written anew and read again. */
  roundTrips: number;
  /** Parses of a part of an input. */
  splits: number;
  exceptions: number;
  unsafe: number;
}

export function emptyTally(): Tally {
  return {
    inputs: 0,
    bothAccept: 0,
    bothRefuse: 0,
    incomplete: 0,
    stricter: {},
    explained: {},
    roundTrips: 0,
    splits: 0,
    exceptions: 0,
    unsafe: 0,
  };
}

export function count(into: Record<string, number>, name: string, times = 1): void {
  into[name] = (into[name] ?? 0) + times;
}

export function addTally(to: Tally, more: Tally): void {
  to.inputs += more.inputs;
  to.bothAccept += more.bothAccept;
  to.bothRefuse += more.bothRefuse;
  to.incomplete += more.incomplete;
  for (const [code, times] of Object.entries(more.stricter)) count(to.stricter, code, times);
  for (const [name, times] of Object.entries(more.explained)) count(to.explained, name, times);
  to.roundTrips += more.roundTrips;
  to.splits += more.splits;
  to.exceptions += more.exceptions;
  to.unsafe += more.unsafe;
}
