import type { HalftoneProcess } from "../e2e/harness/halftone-process.ts";
import type { Dice } from "./dice.ts";

/** One position of the switch. It may have been in force anywhere from the request for it to the next one's answer. */
export interface Position {
  readonly deploy: number;
  readonly share: number;
  /** Times in ms by `performance.now()`. */
  readonly from: number;
  until: number;
}

/** Share of the public that is drawn into the group under test, when anybody is. */
const SHARE = 30;

/** Turns the switch of one app round and round, 0, 1, 2, 0 …, with a share at times, and remembers when. */
export class Switchboard {
  readonly positions: Position[];
  readonly #halftone: HalftoneProcess;
  readonly #app: string;
  readonly #dice: Dice;

  /** The switch stands on 0. */
  constructor(halftone: HalftoneProcess, app: string, dice: Dice) {
    this.#halftone = halftone;
    this.#app = app;
    this.#dice = dice;
    this.positions = [{ deploy: 0, share: 0, from: performance.now(), until: Infinity }];
  }

  get switches(): number {
    return this.positions.length - 1;
  }

  /** Resolves when the gateway has acknowledged the next position. */
  async turn(): Promise<void> {
    const before = this.positions.at(-1)!;
    const deploy = (before.deploy + 1) % 3;
    const share = deploy !== 0 && this.#dice.chance(0.5) ? SHARE : 0;
    this.positions.push({ deploy, share, from: performance.now(), until: Infinity });
    await this.#halftone.deploy(this.#app, deploy, share);
    before.until = performance.now();
  }

  /** The positions one of which was in force for whatever was decided between these times. */
  within(from: number, to: number): readonly Position[] {
    const { positions } = this;
    let low = 0;
    let high = positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (positions[middle]!.until < from) low = middle + 1;
      else high = middle;
    }
    let end = low;
    while (end < positions.length && positions[end]!.from <= to) end++;
    return positions.slice(low, end);
  }
}

/** Who of these addresses is drawn into the group under test when the share is in force: the gateway is asked. */
export async function drawnOf(
  halftone: HalftoneProcess,
  app: string,
  addresses: readonly string[],
): Promise<ReadonlySet<string>> {
  await halftone.deploy(app, 1, SHARE);
  const drawn = new Set<string>();
  for (const ip of addresses) {
    const { body } = await halftone.api("POST", `/apps/${app}/explain`, { ip });
    const { rule } = body as { readonly rule: { readonly kind: string } };
    if (rule.kind === "share") drawn.add(ip);
  }
  await halftone.deploy(app, 0);
  return drawn;
}
