import { allDownWithin, type Downtime, type MortalServer, type Taken } from "./mortal-server.ts";
import type { Shot } from "./swarm.ts";
import type { Position, Switchboard } from "./switchboard.ts";

/** A server's death is felt this long after its process was seen gone, in ms: resets still have to be read. */
const AFTERMATH = 100;
/** How long a gateway may hold a server for dead that is up again, in ms: the longest die time, jitter, and a probe. */
const BELIEF = 1500;

/** Why a failed request could not have been saved. */
export type Unsavable =
  /** No server that the selection allows was up. */
  | "nobody up"
  /** The answer had begun, then its server was killed. */
  | "answer cut by a kill"
  /** A POST that must not be repeated: the server that had taken it in was killed. */
  | "POST lost in a kill"
  /** A POST that must not be repeated, written to a server that ended before it took it in. */
  | "POST on a connection cut by a stop or kill";

export interface Verdict {
  readonly answered: number;
  /** Requests during which the switch stood still, so that exactly one selection was right. */
  readonly unambiguous: number;
  /** Requests of clients drawn by share that went to the others, as the group under test was down. */
  readonly fellBack: number;
  /** Requests that more than one server took in: all idempotent. */
  readonly repeated: number;
  readonly unsavable: Readonly<Record<Unsavable, number>>;
  /** Everything that must not be. */
  readonly violations: readonly string[];
}

interface Taker extends Taken {
  readonly server: MortalServer;
}

/** Holds what clients saw against what servers wrote down, the deaths of the servers, and the history of the switch. */
export class Judge {
  readonly #groups: readonly (readonly MortalServer[])[];
  readonly #board: Switchboard;
  readonly #testers: ReadonlySet<string>;
  /** Clients whose place in the draw is below the share. */
  readonly #drawn: ReadonlySet<string>;
  readonly #takers = new Map<string, Taker[]>();
  readonly #violations: string[] = [];
  readonly #unsavable: Record<Unsavable, number> = {
    "nobody up": 0,
    "answer cut by a kill": 0,
    "POST lost in a kill": 0,
    "POST on a connection cut by a stop or kill": 0,
  };
  #fellBack = 0;

  constructor(
    groups: readonly (readonly MortalServer[])[],
    board: Switchboard,
    clients: { readonly testers: ReadonlySet<string>; readonly drawn: ReadonlySet<string> },
  ) {
    this.#groups = groups;
    this.#board = board;
    this.#testers = clients.testers;
    this.#drawn = clients.drawn;
  }

  async judge(shots: readonly Shot[]): Promise<Verdict> {
    for (const server of this.#groups.flat()) {
      for (const taken of await server.taken()) {
        const takers = this.#takers.get(taken.id) ?? [];
        takers.push({ ...taken, server });
        this.#takers.set(taken.id, takers);
      }
    }
    const verdict = { answered: 0, unambiguous: 0, repeated: 0 };
    for (const shot of shots) {
      const positions = this.#board.within(shot.sent, shot.head || shot.ended);
      const takers = this.#takers.get(shot.id) ?? [];
      if (positions.length === 1) verdict.unambiguous++;
      if (takers.length > 1) verdict.repeated++;
      this.#judgeTakers(shot, takers, positions);
      if (shot.status === 200 && shot.broken === "") {
        verdict.answered++;
        this.#judgeAnswer(shot, takers);
      } else {
        const why = this.#whyUnsavable(shot, takers, positions);
        if (why === undefined) this.#violate("a failure that could have been saved", shot, takers, positions);
        else this.#unsavable[why]++;
      }
    }
    return {
      ...verdict,
      fellBack: this.#fellBack,
      unsavable: this.#unsavable,
      violations: this.#violations,
    };
  }

  /** Every try, failed or not, went where the selection allows; and a POST is tried once. */
  #judgeTakers(shot: Shot, takers: readonly Taker[], positions: readonly Position[]): void {
    if (shot.method === "POST" && takers.length > 1) {
      this.#violate("a POST that was taken in twice", shot, takers, positions);
    }
    const strangers = takers.filter(
      ({ server }) => !positions.some((position) => this.#selected(position, shot).includes(server)),
    );
    if (strangers.length === 0) return;
    if (positions.some((position) => this.#mayFallBack(position, shot))) this.#fellBack++;
    else this.#violate("taken in by a group that the selection does not allow", shot, takers, positions);
  }

  #judgeAnswer(shot: Shot, takers: readonly Taker[]): void {
    const server = takers.find((t) => t.server.address === shot.servedBy && t.version === shot.version);
    if (shot.flaw !== "") this.#violate(shot.flaw, shot, takers, []);
    else if (server === undefined) {
      this.#violate("answered by a server that never took it in", shot, takers, []);
    } else if (server.sha1 !== shot.sha1 || server.method !== shot.method) {
      this.#violate("another request than the client sent", shot, takers, []);
    }
  }

  #whyUnsavable(shot: Shot, takers: readonly Taker[], positions: readonly Position[]): Unsavable | undefined {
    const { sent, ended } = shot;
    if (shot.status === 200) {
      // The head was seen, the rest was not.
      const server = this.#groups.flat().find(({ address }) => address === shot.servedBy);
      return server !== undefined && endedWithin(server, sent, ended, "SIGKILL")
        ? "answer cut by a kill"
        : undefined;
    }
    if (shot.broken !== "" || ![502, 503, 504].includes(shot.status)) return undefined;
    if (positions.some((position) => allDownWithin(this.#candidates(position, shot), sent, ended))) {
      return "nobody up";
    }
    // For one that reached no server at all there is no excuse: it could have been sent elsewhere.
    if (shot.method !== "POST" || !["server_cut", "group_down"].includes(shot.error)) return undefined;
    const [taker] = takers;
    if (taker !== undefined) {
      return endedWithin(taker.server, sent, ended, "SIGKILL") ? "POST lost in a kill" : undefined;
    }
    const candidates = positions.flatMap((position) => this.#candidates(position, shot));
    return candidates.some((server) => endedWithin(server, sent, ended))
      ? "POST on a connection cut by a stop or kill"
      : undefined;
  }

  /** The servers of the pool that the rules of selection name for this client. */
  #selected(position: Position, shot: Shot): readonly MortalServer[] {
    const test = this.#groups[position.deploy - 1];
    if (test === undefined) return this.#groups.flat();
    if (this.#testers.has(shot.client) || this.#isDrawn(position, shot)) return test;
    return this.#groups.filter((group) => group !== test).flat();
  }

  /** The servers that could have served it, fallback included. */
  #candidates(position: Position, shot: Shot): readonly MortalServer[] {
    return this.#isDrawn(position, shot) ? this.#groups.flat() : this.#selected(position, shot);
  }

  /** A client drawn by share never suffers for the test: with the group under test down it goes to the others. */
  #mayFallBack(position: Position, shot: Shot): boolean {
    return (
      this.#isDrawn(position, shot) &&
      this.#selected(position, shot).every(
        (server) => server.downWithin(shot.sent - BELIEF, shot.head || shot.ended).length > 0,
      )
    );
  }

  #isDrawn(position: Position, shot: Shot): boolean {
    return (
      position.deploy !== 0 &&
      position.share > 0 &&
      !this.#testers.has(shot.client) &&
      this.#drawn.has(shot.client)
    );
  }

  #violate(what: string, shot: Shot, takers: readonly Taker[], positions: readonly Position[]): void {
    const seen = takers.map(({ server, version, sha1 }) => ({ at: server.address, version, sha1 }));
    const down = Object.fromEntries(
      this.#groups
        .flat()
        .map((server) => [server.address, server.downWithin(shot.sent - BELIEF, shot.ended)] as const),
    );
    this.#violations.push(`${what}: ${JSON.stringify({ shot, takers: seen, positions, down })}`);
  }
}

function endedWithin(server: MortalServer, from: number, to: number, how?: Downtime["how"]): boolean {
  return server.downtimes.some(
    (downtime) =>
      (how === undefined || downtime.how === how) && downtime.from <= to && downtime.gone + AFTERMATH >= from,
  );
}
