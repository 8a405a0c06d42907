import { ClientMarks } from "./client-marks.ts";
import { SCALE_LENGTH, stepOf } from "./latency-scale.ts";

/** How the requests of an app under release are counted. */
export interface TallySettings {
  /** Names the release: another one is counted anew. */
  readonly release: string;
  /** Length of a window in ms. */
  readonly window: number;
  /** Latencies in ms above which an answer is slow, of p50, p90 and p99; undefined: not known yet. */
  readonly slower: readonly number[] | undefined;
}

/** The two sides of a comparison: the group under test, and the groups that serve beside it. */
export type Side = "test" | "rest";

/** Who a count belongs to: a server by its id, or a side none of whose servers could be asked. */
export type CellName = string;

/**
 * What was counted of one server in one window: requests, then of each threshold of latency answers and slow ones.
 * Who failed is told by `TallyWindow.erring`, as one client may have failed at several processes. Not always whole numbers.
 */
export type Cell = readonly [
  requests: number,
  of50: number,
  slow50: number,
  of90: number,
  slow90: number,
  of99: number,
  slow99: number,
];
const CELL_LENGTH = 7;

/**
 * What one process counted in one window, or several of them together: plain JSON. What is lost of it is lost for both sides
 * alike.
 */
export interface TallyWindow {
  /** Time since the epoch in lengths of a window. */
  readonly window: number;
  /** Part of the clients that were counted, more than 0 to 1. */
  readonly part: number;
  readonly cells: Readonly<Record<CellName, Cell>>;
  /** Clients whose first try failed, and where: each once in ten minutes. */
  readonly erring: readonly (readonly [client: number, cell: CellName])[];
  /** Clients of the group under test who were answered by an error: each once in ten minutes. */
  readonly met: readonly number[];
  /** Requests of testers, and failed ones, in the group under test. */
  readonly testers: readonly [requests: number, failed: number];
}

/** What a process counted since it was last asked. */
export interface TallyReport {
  readonly release: string;
  /** Of a window, in ms. */
  readonly length: number;
  readonly windows: readonly TallyWindow[];
  /** Latencies of the groups that serve, by `latency-scale.ts`; empty once it is settled what is slow. */
  readonly latencies: readonly (readonly [step: number, count: number])[];
}

/**
 * Requests of one client that count in one window. Who sends very many would else weigh as much as all others together,
 * on the one side that it was drawn to.
 */
const MOST_IN_WINDOW = 20;
/** About so many clients are told of by name in one window; when it is more, half of all clients take part no longer. */
const MOST_TOLD = 1000;
/**
 * How long it is remembered that a client has failed or was slow, in ms: after that it counts again. Who asks for the same broken
 * thing again and again is one failure, not many. Windows of ten minutes begin and end at the same time everywhere.
 */
export const MEMORY = 600_000;

const FAILED = 1;
const MET = 2;
const SLOW = [4, 8, 16] as const;
const COUNT_SHIFT = 8;
const COUNT_MASK = 0xff;
const WINDOW_SHIFT = 16;
const WINDOW_MASK = 0xffff;

interface Counting {
  readonly window: number;
  readonly cells: Map<CellName, number[]>;
  erring: (readonly [number, CellName])[];
  met: number[];
  readonly testers: [number, number];
}

/**
 * Counts first tries in one process, window by window, so that versions can be compared: what one client does counts as
 * one thing. A client that has failed counts no more for ten minutes, neither as a request nor as a failure, as in the
 * comparison of survival times (Mantel, Cancer Chemother. Rep. 1966: the log-rank test); for what is slow likewise,
 * each threshold for itself. So the outcomes that count are those of different clients, who were drawn by chance.
 *
 * Only the first try of a request counts: it went where the draw sent it, while further ones follow from failures.
 *
 * Where very many clients fail, fewer take part, by a hash that has nothing to do with the draw: a part of the failures,
 * and the same part of the requests, tells the same. To leave out what is too much would leave out the worst.
 */
export class Tally {
  #settings: TallySettings;
  readonly #marks: ClientMarks;
  #memory: number;
  #counting: Counting;
  /** Clients told of in this window; what was told before half of them were left out counts half. */
  #told = 0;
  #finished: TallyWindow[] = [];
  readonly #latencies = new Uint32Array(SCALE_LENGTH);
  #anyLatency = false;

  /** `now` is in ms since the epoch, here and below; `scatter` as in `ClientMarks`. */
  constructor(settings: TallySettings, now: number, scatter: number) {
    this.#settings = settings;
    this.#marks = new ClientMarks(scatter);
    this.#counting = newCounting(Math.floor(now / settings.window));
    this.#memory = this.#memoryOf(this.#counting.window);
  }

  get release(): string {
    return this.#settings.release;
  }

  /** Other thresholds of the same release, from now on. */
  set settings(settings: TallySettings) {
    this.#settings = settings;
  }

  /** It is not settled yet what is slow: the latencies of the old version are wanted. */
  get wantsLatencies(): boolean {
    return this.#settings.slower === undefined;
  }

  /** The old version has answered, after so many ms. */
  addLatency(latency: number, now: number): void {
    this.#turn(now);
    this.#latencies[stepOf(latency)]! += 1;
    this.#anyLatency = true;
  }

  /**
   * How a request's first try ended, which went to that cell. True: it counts.
   *
   * `client`: hash of its key, 1 to 2^31 - 1. `failed`: also by an answer 5xx. `latency`: ms until the answer began, or until it
   * was waited for in vain; NaN: there was none, and not for lack of time, or it was not timed. `left`: the client did not wait any longer; then it
   * counts only if it was slow by then.
   */
  count(
    client: number,
    name: CellName,
    failed: boolean,
    latency: number,
    left: boolean,
    now: number,
  ): boolean {
    this.#turn(now);
    if (!this.#marks.takesPart(client)) return false;
    let mark = this.#marks.get(client);
    const window = this.#counting.window & WINDOW_MASK;
    const counted = mark >>> WINDOW_SHIFT === window ? (mark >>> COUNT_SHIFT) & COUNT_MASK : 0;
    if (counted >= MOST_IN_WINDOW) return false;
    const flags = mark & ((1 << COUNT_SHIFT) - 1);
    mark = ((window << WINDOW_SHIFT) | ((counted + 1) << COUNT_SHIFT) | flags) >>> 0;
    const cell = this.#cell(name);
    const isCounted = (mark & FAILED) === 0 && !left;
    if (isCounted) cell[0]! += 1;
    const fails = isCounted && failed;
    if (fails) mark |= FAILED;
    if (latency >= 0) mark = this.#countLatency(cell, mark, latency, left);
    this.#marks.set(client, mark >>> 0);
    if (fails) this.#tellErring(client, name);
    return true;
  }

  /** A request that was counted as good has failed after all, as its answer was cut. */
  failLater(client: number, name: CellName, now: number): void {
    this.#turn(now);
    const mark = this.#marks.get(client);
    if (!this.#marks.takesPart(client) || (mark & FAILED) !== 0) return;
    this.#marks.set(client, (mark | FAILED) >>> 0);
    this.#tellErring(client, name);
  }

  /** A client of the group under test was answered by an error, after all tries. */
  meet(client: number, now: number): void {
    this.#turn(now);
    const mark = this.#marks.get(client);
    if (!this.#marks.takesPart(client) || (mark & MET) !== 0) return;
    this.#marks.set(client, (mark | MET) >>> 0);
    this.#counting.met.push(client);
    this.#tell();
  }

  /** Testers are no random draw: they are counted apart, and not compared. */
  countTester(failed: boolean, now: number): void {
    this.#turn(now);
    this.#counting.testers[0] += 1;
    if (failed) this.#counting.testers[1] += 1;
  }

  /** What was counted since this was last asked. A window under way is told in parts, which add up. */
  take(now: number): TallyReport {
    this.#turn(now);
    this.#finish();
    const windows = this.#finished;
    this.#finished = [];
    const latencies = this.#takeLatencies();
    const { release, window: length } = this.#settings;
    return { release, length, windows, latencies };
  }

  #takeLatencies(): TallyReport["latencies"] {
    if (!this.#anyLatency) return [];
    this.#anyLatency = false;
    const latencies = [...this.#latencies.entries()].filter(([, count]) => count > 0);
    this.#latencies.fill(0);
    return latencies;
  }

  #countLatency(cell: number[], before: number, latency: number, left: boolean): number {
    const { slower } = this.#settings;
    if (slower === undefined) return before;
    let mark = before;
    for (let index = 0; index < SLOW.length; index++) {
      const flag = SLOW[index]!;
      if ((mark & flag) !== 0) continue;
      const slow = latency > slower[index]!;
      if (left && !slow) continue;
      cell[1 + 2 * index]! += 1;
      if (!slow) continue;
      cell[2 + 2 * index]! += 1;
      mark |= flag;
    }
    return mark;
  }

  #tellErring(client: number, cell: CellName): void {
    this.#counting.erring.push([client, cell]);
    this.#tell();
  }

  /** One more client was told of. */
  #tell(): void {
    this.#told += 1;
    if (this.#told <= MOST_TOLD) return;
    this.#told /= 2;
    const { cells, erring, met } = this.#counting;
    this.#marks.halve();
    this.#counting.erring = erring.filter(([client]) => this.#marks.takesPart(client));
    this.#counting.met = met.filter((client) => this.#marks.takesPart(client));
    for (const cell of cells.values()) for (const index of cell.keys()) cell[index]! /= 2;
  }

  #cell(name: CellName): number[] {
    const known = this.#counting.cells.get(name);
    if (known !== undefined) return known;
    const cell = Array.from({ length: CELL_LENGTH }, () => 0);
    this.#counting.cells.set(name, cell);
    return cell;
  }

  /** Goes on to the window of `now`, if that is another one. */
  #turn(now: number): void {
    const window = Math.floor(now / this.#settings.window);
    if (window === this.#counting.window) return;
    this.#finish();
    this.#told = 0;
    this.#counting = newCounting(window);
    const memory = this.#memoryOf(window);
    if (memory === this.#memory) return;
    this.#memory = memory;
    this.#marks.clear();
  }

  /** A window belongs to the ten minutes in which it begins. */
  #memoryOf(window: number): number {
    return Math.floor((window * this.#settings.window) / MEMORY);
  }

  #finish(): void {
    const { window, cells, erring, met, testers } = this.#counting;
    if (cells.size > 0 || erring.length > 0 || met.length > 0 || testers[0] > 0) {
      this.#finished.push({
        window,
        part: this.#marks.part,
        cells: Object.fromEntries(cells) as unknown as TallyWindow["cells"],
        erring,
        met,
        testers,
      });
    }
    this.#counting = newCounting(window);
  }
}

function newCounting(window: number): Counting {
  return { window, cells: new Map(), erring: [], met: [], testers: [0, 0] };
}
