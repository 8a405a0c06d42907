import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { pause } from "../e2e/harness/until.ts";
import type { Dice } from "./dice.ts";

const LARGE = 1024 * 1024;
/** Longest silence before a request counts as failed, in ms. */
const SILENCE = 20_000;
/** Time a client waits after a failure, in ms: while nobody can serve, the requests to be sent shall not be used up. */
const BREATH = 25;

/** One request and what became of it. Times in ms by `performance.now()`. */
export interface Shot {
  readonly id: string;
  readonly method: string;
  readonly client: string;
  /** Of the request's body. */
  readonly sha1: string;
  /** Before the first byte went out. */
  readonly sent: number;
  /** The answer's head had come. */
  head: number;
  /** All was over. */
  ended: number;
  status: number;
  servedBy: string;
  group: string;
  version: number;
  /** `X-Halftone-Error`. */
  error: string;
  /** What was wrong with an answer that came whole. */
  flaw: string;
  /** What happened to the connection. */
  broken: string;
}

/** Clients that send requests of all kinds, one after the other each, until so many were sent together. */
export class Swarm {
  readonly shots: Shot[] = [];
  readonly done: Promise<void>;
  readonly #port: number;
  #left: number;

  /** `crowd`: the addresses of each client; one is chosen for each of its connections. */
  constructor(options: {
    readonly port: number;
    readonly requests: number;
    readonly crowd: readonly (readonly string[])[];
    readonly dice: Dice;
  }) {
    this.#port = options.port;
    this.#left = options.requests;
    this.done = Promise.all(
      options.crowd.map((addresses, number) => this.#live(number, addresses, options.dice.fork(number))),
    ).then(() => {});
  }

  /** Sends nothing more; what is under way is still ended. */
  stop(): void {
    this.#left = 0;
  }

  async #live(number: number, addresses: readonly string[], dice: Dice): Promise<void> {
    let count = 0;
    while (this.#left > 0) {
      const client = dice.pick(addresses);
      const keepAlive = dice.chance(0.75);
      const agent = new Agent({ keepAlive, maxSockets: 1 });
      for (let last = keepAlive ? dice.between(1, 40) : 1; last > 0 && this.#left > 0; last--) {
        this.#left--;
        const shot = await this.#shoot(`${number}-${++count}`, client, agent, dice);
        this.shots.push(shot);
        if (shot.status !== 200 || shot.broken !== "") await pause(BREATH);
      }
      agent.destroy();
    }
  }

  async #shoot(id: string, client: string, agent: Agent, dice: Dice): Promise<Shot> {
    const throwOf = dice.next();
    const method = throwOf < 0.65 ? "GET" : throwOf < 0.95 ? "POST" : "PUT";
    const body = method === "GET" ? [] : bodyOf(id, method, dice);
    const chunked = method !== "GET" && dice.chance(0.5);
    const hash = createHash("sha1");
    for (const piece of body) hash.update(piece);
    const asked = new URLSearchParams({ id });
    if (dice.chance(0.08)) {
      asked.set("size", String(LARGE));
      // Under way long enough to be cut: at once, all of it is in the kernel's hands before anybody can be killed.
      if (dice.chance(0.5)) asked.set("rest", String(dice.between(1, 25)));
    }
    if (dice.chance(0.25)) asked.set("wait", String(dice.between(1, 25)));
    if (dice.chance(0.3)) asked.set("chunked", "1");
    const shot: Shot = {
      id,
      method,
      client,
      sha1: hash.digest("hex"),
      sent: performance.now(),
      head: 0,
      ended: 0,
      status: 0,
      servedBy: "",
      group: "",
      version: 0,
      error: "",
      flaw: "",
      broken: "",
    };
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    const outgoing = request({
      host: "127.0.0.1",
      port: this.#port,
      path: `/?${asked.toString()}`,
      method,
      agent,
      timeout: SILENCE,
      localAddress: client,
      headers: {
        "x-id": id,
        ...(chunked
          ? { "transfer-encoding": "chunked" }
          : method === "GET"
            ? {}
            : { "content-length": length }),
      },
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`silence for ${SILENCE} ms`)));
    // Errors of the writing side: `once` below rejects with those that matter.
    outgoing.on("error", () => {});
    try {
      const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
      answered.catch(() => {});
      for (const piece of body) {
        if (outgoing.destroyed) break;
        outgoing.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      outgoing.end();
      const [response] = await answered;
      shot.head = performance.now();
      await take(shot, response);
    } catch (error) {
      shot.broken = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    }
    shot.ended = performance.now();
    return shot;
  }
}

async function take(shot: Shot, response: IncomingMessage): Promise<void> {
  const { headers } = response;
  shot.status = response.statusCode!;
  shot.servedBy = String(headers["served-by"] ?? "");
  shot.group = String(headers["served-group"] ?? "");
  shot.version = Number(headers["served-version"] ?? 0);
  shot.error = String(headers["x-halftone-error"] ?? "");
  const hash = createHash("sha1");
  for await (const bytes of response) hash.update(bytes as Buffer);
  if (shot.status !== 200) return;
  if (headers["x-id"] !== shot.id) shot.flaw = `the answer of ${String(headers["x-id"])}`;
  else if (hash.digest("hex") !== headers["x-sha1"]) shot.flaw = "another body than the server sent";
}

/** In one to three pieces. A PUT is short enough to be held for another try, whatever becomes of the first. */
function bodyOf(id: string, method: string, dice: Dice): readonly Buffer[] {
  const longest = method === "PUT" ? 8 : dice.chance(0.2) ? 64 : 2;
  return Array.from({ length: dice.between(1, 3) }, () => Buffer.alloc(dice.between(1, longest * 1024), id));
}
