import type { Outcome, Side, Tally } from "../core/verdict/tally.ts";
import type { Admitted } from "./admission.ts";
import type { Choice } from "./choose-server.ts";
import type { GatewayContext } from "./gateway-context.ts";

/**
 * One request of an app under release, as it is counted for the verdict: its first try, which went where the draw sent
 * it, and whether its client was answered by an error in the end.
 */
export class CountedRequest {
  private readonly context: GatewayContext;
  private readonly tally: Tally;
  private readonly client: number;
  private readonly isTester: boolean;
  private side: Side = "rest";
  private server: string | undefined;
  private begunAt = 0;
  private settled = false;
  /** It was counted, and as a good one. */
  private good = false;

  /** Undefined: no release runs. */
  static of(context: GatewayContext, { counted, runtime, selection }: Admitted): CountedRequest | undefined {
    const { tally } = runtime.servers;
    if (counted === 0 || tally === undefined) return undefined;
    return new CountedRequest(context, tally, counted, selection.rule.kind === "tester");
  }

  private constructor(context: GatewayContext, tally: Tally, client: number, isTester: boolean) {
    this.context = context;
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
    this.side = pool === "test" ? "test" : "rest";
    this.server = standsIn ? undefined : server?.server.id;
    this.begunAt = performance.now();
    if (!this.isTester && runtime.isTestInDoubt(this.context.clock.now)) this.excused();
    else if (this.server === undefined && pool !== "all") this.settle({ failed: true });
  }

  /**
   * The request goes out. What came before was connecting, which is rarer the more requests a server gets: the group with the
   * smaller share would look slow.
   */
  sent(): void {
    this.begunAt = performance.now();
  }

  /** The answer began. `failed`: its status counts as a failed try. */
  answered(failed: boolean): void {
    if (!this.settled) this.settle({ failed, latency: performance.now() - this.begunAt });
  }

  /** `late`: it was waited for in vain. */
  failed(late: boolean): void {
    if (!this.settled)
      this.settle({ failed: true, ...(late && { latency: performance.now() - this.begunAt }) });
  }

  /** The client left. It says nothing of the version but how long it made the client wait. */
  left(): void {
    if (!this.settled && this.begunAt !== 0)
      this.settle({ left: true, latency: performance.now() - this.begunAt });
  }

  /** How the try ended is nobody's fault behind the gateway. */
  excused(): void {
    this.settled = true;
  }

  /** The answer that had begun broke off. */
  cut(): void {
    const { side, server } = this;
    if (this.good) this.tally.failLater(this.client, { side, server }, this.context.clock.epoch);
    this.good = false;
    this.met();
  }

  /** The client was answered by an error. */
  met(): void {
    if (!this.isTester && this.side === "test") this.tally.meet(this.client, this.context.clock.epoch);
  }

  private settle({ failed = false, left = false, latency }: Partial<Outcome>): void {
    this.settled = true;
    const { epoch } = this.context.clock;
    if (this.isTester) {
      this.tally.countTester(failed, epoch);
      return;
    }
    const { side, server } = this;
    this.good =
      this.tally.count(this.client, { side, server, failed, latency, left }, epoch) && !failed && !left;
  }
}
