import { pause } from "../e2e/harness/until.ts";
import type { Dice } from "./dice.ts";
import type { MortalServer } from "./mortal-server.ts";

/** What the reaper did so far. */
export interface Reaped {
  kills: number;
  stops: number;
  restarts: number;
  /** Times at which all servers of one group were taken at once. */
  wholeGroups: number;
}

/**
 * Ends servers and starts them again, over and over: mostly one, at times one of each group, at times a whole group.
 * Between two rounds all are up for a while, so that a request meets at most one round.
 */
export class Reaper {
  readonly reaped: Reaped = { kills: 0, stops: 0, restarts: 0, wholeGroups: 0 };
  readonly #groups: readonly (readonly MortalServer[])[];
  readonly #dice: Dice;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(groups: readonly (readonly MortalServer[])[], dice: Dice) {
    this.#groups = groups;
    this.#dice = dice;
    this.#running = this.#run();
    // Told by `stop`.
    this.#running.catch(() => {});
  }

  /** Resolves when all servers are up again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await pause(this.#dice.between(250, 600));
      await Promise.all(this.#victims().map((victim) => this.#endAndRestart(victim)));
    }
  }

  #victims(): readonly MortalServer[] {
    const dice = this.#dice;
    const throwOf = dice.next();
    if (throwOf < 0.7) return [dice.pick(dice.pick(this.#groups))];
    if (throwOf < 0.85) return this.#groups.map((group) => dice.pick(group));
    this.reaped.wholeGroups++;
    return dice.pick(this.#groups);
  }

  async #endAndRestart(victim: MortalServer): Promise<void> {
    const [how, down] = [this.#dice.chance(0.5) ? "SIGKILL" : "SIGTERM", this.#dice.between(0, 250)] as const;
    await victim.end(how);
    if (how === "SIGKILL") this.reaped.kills++;
    else this.reaped.stops++;
    await pause(down);
    await victim.start();
    this.reaped.restarts++;
  }
}
