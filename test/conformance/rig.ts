import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect } from "vitest";
import { Gateway } from "../../src/gateway/gateway.ts";
import { LIMITS, TIMEOUTS, eventually, turn } from "../gateway/harness.ts";
import type { RequestCase, ResponseCase } from "./case.ts";
import { judgeAnswers, mismatch, type AnswersExpected, type Transcript } from "./judge.ts";
import { valuesOf } from "./strict-message.ts";
import { StrictUpstream } from "./strict-upstream.ts";

/** Longest wait of one run; reaching it is a failure. */
const PATIENCE = 10_000;
/**
 * Runs of one case that are under way at the same time. Clients, gateway and server share this loop: with many more, and
 * other suites on the same processor, its turns stay long for more than a second, and the gateway rightly refuses some.
 */
const AT_ONCE = 16;
/** A longer text is split at so many places, around its line ends and evenly spread; at every one if that is asked for. */
const MOST_SPLITS = process.env["HALFTONE_CONFORMANCE"] === "all" ? Infinity : 32;
/** Beyond this a text is sent in pieces that are longer than a byte. */
const MOST_PIECES = 600;
const PROXY = "127.0.0.9";

/** One rig for all tests of a file; in the end nothing may have been thrown that nobody caught. */
export function useRig(): {
  readonly request: (wanted: RequestCase) => Promise<void>;
  readonly response: (wanted: ResponseCase) => Promise<void>;
} {
  let rig: Rig | undefined;
  let escaped = 0;
  const count = (): void => {
    escaped++;
  };
  beforeAll(async () => {
    process.on("uncaughtException", count);
    process.on("unhandledRejection", count);
    rig = await Rig.start();
  });
  afterAll(async () => {
    await rig?.stop();
    process.off("uncaughtException", count);
    process.off("unhandledRejection", count);
    expect(escaped).toBe(0);
  });
  const check = async (run: (rig: Rig) => Promise<void>): Promise<void> => {
    try {
      await run(rig!);
    } catch (error) {
      // What a failed case leaves behind must not fail the next one.
      await rig?.stop();
      rig = await Rig.start();
      throw error;
    }
  };
  return {
    request: (wanted) => check((current) => current.checkRequest(wanted)),
    response: (wanted) => check((current) => current.checkResponse(wanted)),
  };
}

/** A gateway with one server behind it, for all cases. */
class Rig {
  private readonly upstream: StrictUpstream;
  private readonly gateway: Gateway;
  private readonly port: number;
  private readonly host: string;

  private constructor(upstream: StrictUpstream, gateway: Gateway, at: { host: string; port: number }) {
    this.upstream = upstream;
    this.gateway = gateway;
    this.port = at.port;
    this.host = at.host;
  }

  static async start(): Promise<Rig> {
    const upstream = await StrictUpstream.listen("127.0.5.1");
    const gateway = new Gateway({
      listen: [{ address: { kind: "tcp", host: "127.0.5.2", port: 0 } }],
      via: "halftone-test",
      forwarded: true,
      trustedProxies: [PROXY],
      allowServers: [],
      timeouts: TIMEOUTS,
      limits: { ...LIMITS, body: 1_000_000, connections: 10_000 },
    });
    // Failures are the subject here: they must not take the only server out.
    const served = { groups: { g: { servers: [upstream.address] } }, health: { maxFails: 1_000_000 } };
    const documents = [
      { name: "any", ...served },
      { name: "tunnel", routes: [{ host: "tunnel.test" }], upgrades: ["x-own/2"], ...served },
      { name: "plain", routes: [{ host: "plain.test" }], upgrades: [], ...served },
    ];
    gateway.replaceApps(documents.map((document) => ({ name: document.name, revision: 1, document })));
    const [bound] = await gateway.listen();
    if (bound?.kind !== "tcp") throw new Error("no TCP address");
    return new Rig(upstream, gateway, bound);
  }

  async stop(): Promise<void> {
    this.gateway.destroy();
    await this.upstream.close();
  }

  async checkRequest(wanted: RequestCase): Promise<void> {
    const { upstream } = this;
    upstream.clear();
    const variants = variantsOf(wanted.send, wanted.tail);
    await inTurns(variants, (pieces) => this.ask(wanted, pieces));
    await turn();
    await turn();
    if (wanted.leaves !== undefined) await this.settled();
    this.judgeServer(wanted, variants.length);
  }

  async checkResponse(wanted: ResponseCase): Promise<void> {
    const { upstream } = this;
    upstream.clear();
    const variants = variantsOf(wanted.respond);
    upstream.script = (request) => {
      const [variant] = valuesOf(request, "x-variant");
      if (variant === undefined) return undefined;
      return { pieces: variants[Number(variant)]!, ends: wanted.ends ?? "keep" };
    };
    const request = wanted.request ?? "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const numbers = variants.map((_, index) => index);
    const lanes = wanted.surplus === true ? 1 : AT_ONCE;
    await inTurns(
      numbers,
      (index) => this.askAndProbe(wanted, request.replace("\r\n", `\r\nX-Variant: ${index}\r\n`)),
      lanes,
    );
    if (upstream.complaints.length > 0) throw new Error(`the server complains: ${upstream.complaints[0]}`);
    const { hostile, over } = upstream;
    if (wanted.server === "closed") {
      if (hostile.size < variants.length) throw new Error("a connection was used again");
      await this.hostileOver();
    } else {
      await turn();
      if ([...hostile].some((socket) => over.has(socket))) throw new Error("a connection was not kept");
    }
  }

  private judgeServer(wanted: RequestCase, runs: number): void {
    const { complaints, requests } = this.upstream;
    const serious = complaints.filter((text) => wanted.partial !== true || !text.startsWith("incomplete"));
    if (serious.length > 0) throw new Error(`the server complains: ${serious[0]}`);
    const due = (wanted.server ?? []).map((expected) => ({ expected, seen: 0 }));
    for (const request of requests) {
      const found = due.find(
        ({ expected, seen }) => seen < runs && mismatch(request, expected) === undefined,
      );
      if (found === undefined) {
        const why = due.map(({ expected }) => mismatch(request, expected)).join("; ");
        throw new Error(`the server saw ${JSON.stringify(request)}: ${why}`);
      }
      found.seen++;
    }
    const lacking = due.find(({ seen }) => seen !== runs);
    if (lacking === undefined) return;
    throw new Error(`seen in ${lacking.seen} of ${runs} runs: ${JSON.stringify(lacking.expected)}`);
  }

  /** Every connection that carried a scripted answer is at its end. */
  private async hostileOver(): Promise<void> {
    const { hostile, over } = this.upstream;
    await eventually(
      () => [...hostile].every((socket) => over.has(socket)),
      "the end of the server's connections",
    );
  }

  /** No request is under way any more. */
  private async settled(): Promise<void> {
    const { counters } = this.gateway;
    await eventually(() => counters.inFlight === 0 && counters.connections === 0, "the end of all requests");
    await turn();
  }

  private async ask(wanted: RequestCase, pieces: readonly string[]): Promise<void> {
    const client = await this.connect(wanted.trusted === true ? PROXY : "127.0.0.1");
    for (const piece of pieces) {
      client.send(piece);
      if (pieces.length > 1) await turn();
    }
    if (wanted.leaves === "fin") client.socket.end();
    else if (wanted.leaves === "reset") {
      await turn();
      client.socket.resetAndDestroy();
      return;
    } else {
      await client.answers(wanted);
      if (wanted.closes !== true) {
        if (client.ended) throw new Error("the connection was not kept");
        client.socket.end();
      }
    }
    await client.end();
    judgeAnswers(client, wanted);
  }

  /** After the hostile answer the client's connection must be over, or as good as new. */
  private async askAndProbe(wanted: ResponseCase, request: string): Promise<void> {
    const client = await this.connect("127.0.0.1");
    client.send(request);
    await client.answers(wanted);
    if (wanted.surplus === true) await this.hostileOver();
    if (wanted.closes === true) {
      await client.end();
      judgeAnswers(client, wanted);
      return;
    }
    client.send("GET /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const both = { ...wanted, client: [...wanted.client, { status: 200, body: "GET /probe 0 a" }] };
    await client.end();
    judgeAnswers(client, both);
  }

  private async connect(localAddress: string): Promise<Client> {
    const socket = connect({ host: this.host, port: this.port, localAddress, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new Client(socket);
  }
}

class Client implements Transcript {
  readonly socket: Socket;
  text = "";
  ended = false;
  reset = false;
  private wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      this.wake();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // Writing to a connection that is over already tells nothing of how it ended.
      if (error.code === "ECONNRESET") this.reset = true;
    });
    const end = (): void => {
      this.ended = true;
      this.wake();
    };
    socket.on("end", end);
    socket.on("close", end);
  }

  send(text: string): void {
    if (this.socket.writable) this.socket.write(text, "latin1");
  }

  answers(wanted: AnswersExpected): Promise<void> {
    return this.until(() => judgeAnswers(this, wanted), "all answers");
  }

  end(): Promise<void> {
    return this.until(() => this.ended, "the end of the connection");
  }

  private async until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const over = (settle: () => void): void => {
        clearTimeout(timer);
        this.wake = () => {};
        settle();
      };
      const timer = setTimeout(() => {
        over(() => reject(new Error(`waited in vain for ${what}; got ${JSON.stringify(this.text)}`)));
        this.socket.destroy();
      }, PATIENCE);
      this.wake = () => {
        try {
          if (condition()) over(resolve);
        } catch (error) {
          this.socket.destroy();
          over(() => reject(error));
        }
      };
    });
  }
}

/** Whole, byte by byte, and in two parts at every place that `splitsOf` names. */
function variantsOf(text: string, tail: string = ""): readonly (readonly string[])[] {
  const size = Math.max(1, Math.ceil(text.length / MOST_PIECES));
  const count = Math.ceil(text.length / size);
  const bytes = Array.from({ length: count }, (_, i) => text.slice(i * size, (i + 1) * size));
  const halves = splitsOf(text).map((at) => [text.slice(0, at), text.slice(at) + tail]);
  return [[text + tail], [...bytes, tail], ...halves];
}

function splitsOf(text: string): readonly number[] {
  const all = Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => i + 1);
  if (all.length <= MOST_SPLITS) return all;
  const atLineEnds = all.filter((at) => /[\r\n]/.test(text.charAt(at - 1)));
  return [...new Set([...someOf(atLineEnds, MOST_SPLITS / 2), ...someOf(all, MOST_SPLITS / 2)])];
}

/** So many of them, evenly spread. */
function someOf(items: readonly number[], count: number): readonly number[] {
  const step = Math.max(1, items.length / count);
  return items.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}

async function inTurns<T>(
  items: readonly T[],
  run: (item: T) => Promise<void>,
  lanes: number = AT_ONCE,
): Promise<void> {
  let next = 0;
  let failure: Error | undefined;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      try {
        await run(items[index]!);
      } catch (error) {
        next = items.length;
        failure ??= new Error(`variant ${index}: ${(error as Error).message}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
  if (failure !== undefined) throw failure;
}
