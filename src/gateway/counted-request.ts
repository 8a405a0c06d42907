import type { PoolName } from "../core/select.ts";
import type { CellName, Tally } from "../core/verdict/tally.ts";
import type { Admitted } from "./admission.ts";
import type { Choice } from "./choose-server.ts";
import type { Clock } from "./clock.ts";

/** Of a try that had no answer, or was not timed. */
export const NO_LATENCY: number = Number.NaN;

/**
 * One request of an app under release, as it is counted for the verdict: its first try, which went where the draw sent
 * it, and whether its client was answered by an error in the end.
 */
export class CountedRequest {
  private readonly clock: Clock;
  private readonly tally: Tally;
  /** 0: not told apart from others, as nothing is compared yet. */
  private readonly client: number;
  private readonly isTester: boolean;
  private pool: PoolName = "all";
  private cell: CellName = "";
  private settled = false;
  /** It was counted, and as a good one. */
  private good = false;

  /** Undefined: there is nothing to count. */
  static of(clock: Clock, { runtime, selection }: Admitted): CountedRequest | undefined {
    const { tally } = runtime.servers;
    if (tally === undefined) return undefined;
    const isTester = selection.rule.kind === "tester";
    if (selection.client === 0 && !isTester && !tally.wantsLatencies) return undefined;
    return new CountedRequest(clock, tally, selection.client, isTester);
  }

  private constructor(clock: Clock, tally: Tally, client: number, isTester: boolean) {
    this.clock = clock;
    this.tally = tally;
    this.client = client;
    this.isTester = isTester;
  }

  /**
   * Where a try goes. That nobody of the selected side could be asked is that side's failure; while that is in doubt, nothing
   * is counted on either side.
   */
  chosen({ server, standsIn }: Choice, { runtime, selection: { pool } }: Admitted): void {
    if (this.settled) return;
    this.pool = pool;
    const isAsked = !standsIn && server !== undefined;
    this.cell = isAsked ? server.server.id : pool;
    if (!this.isTester && runtime.isTestInDoubt(this.clock.now)) this.excused();
    else if (!isAsked && pool !== "all") this.settle(true, NO_LATENCY, false);
  }

  /** The answer began after `latency` ms; NaN: that was not timed. `failed`: its status counts as a failed try. */
  answered(failed: boolean, latency: number): void {
    if (!this.settled) this.settle(failed, latency, false);
  }

  /** `latency`: it was waited for so long, in vain; NaN: it was not, or that was not timed. */
  failed(latency: number): void {
    if (!this.settled) this.settle(true, latency, false);
  }

  /** The client left, after so many ms. It says nothing of the version but how long it made the client wait. */
  left(latency: number): void {
    if (!this.settled && latency >= 0) this.settle(false, latency, true);
  }

  /** How the try ended is nobody's fault behind the gateway. */
  excused(): void {
    this.settled = true;
  }

  /** The answer that had begun broke off. */
  cut(): void {
    if (this.good) this.tally.failLater(this.client, this.cell, this.clock.epoch);
    this.good = false;
    this.met();
  }

  /** The client was answered by an error. */
  met(): void {
    if (this.pool === "test" && this.client !== 0) this.tally.meet(this.client, this.clock.epoch);
  }

  private settle(failed: boolean, latency: number, left: boolean): void {
    this.settled = true;
    const { tally, client, pool } = this;
    const { epoch } = this.clock;
    if (this.isTester) tally.countTester(failed, epoch);
    else if (client !== 0) {
      this.good = tally.count(client, this.cell, failed, latency, left, epoch) && !failed && !left;
    }
    if (pool === "rest" && latency >= 0 && !left && tally.wantsLatencies) tally.addLatency(latency, epoch);
  }
}
