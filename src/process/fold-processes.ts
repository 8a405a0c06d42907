import {
  type Processes,
  type ProcessReport,
  type RisingCounters,
  sumRising,
} from "../gateway/process-report.ts";

/** Keeps what processes that come and go have told of themselves. */
export class FoldedProcesses {
  readonly #places = new Map<number, number>();
  readonly #living = new Map<number, ProcessReport>();
  #gone: RisingCounters = sumRising([]);

  begin(process: number): void {
    const taken = new Set(this.#places.values());
    let place = 0;
    while (taken.has(place)) place++;
    this.#places.set(process, place);
  }

  take(process: number, report: ProcessReport): void {
    if (this.#places.has(process)) this.#living.set(process, report);
  }

  end(process: number): void {
    const last = this.#living.get(process);
    if (last !== undefined) this.#gone = sumRising([this.#gone, last.rising]);
    this.#living.delete(process);
    this.#places.delete(process);
  }

  all(): Processes {
    const living = Array.from(this.#living, ([process, report]) => ({
      ...report,
      place: this.#places.get(process)!,
    }));
    return { living, rising: sumRising([this.#gone, ...living.map(({ rising }) => rising)]) };
  }
}
