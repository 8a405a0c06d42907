import { Agent, request } from "node:http";

/** Connections of the public, each used by one user after the other. */
const CONNECTIONS = 20;
/** Users there are; each is told apart by a cookie. */
const USERS = 50_000;
/** Between two requests of one connection, in ms. */
const PAUSE = 30;

type Who = "public" | "tester";

/** A small steady load: very many users who come again and again, and one tester with an address of its own. */
export class Visitors {
  requests = 0;
  /** Requests without an answer of a server: none ever may. */
  failed = 0;
  /** Answers 5xx of servers: the fault of a version. */
  errors = 0;
  private running = true;
  private readonly loops: Promise<void>[] = [];

  constructor(port: () => number) {
    for (let i = 0; i < CONNECTIONS; i++) this.loops.push(this.loop(port, "public", `127.0.0.${20 + i}`));
    this.loops.push(this.loop(port, "tester", "127.0.0.111"));
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.loops);
  }

  private async loop(port: () => number, who: Who, localAddress: string): Promise<void> {
    // Other systems than Linux have only 127.0.0.1 on the loopback; the tester is known by a header too.
    const address = process.platform === "linux" ? { localAddress } : {};
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ...address });
    while (this.running) {
      this.requests++;
      const status = await ask(port(), agent, who);
      if (status === undefined) this.failed++;
      else if (status >= 500) this.errors++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    agent.destroy();
  }
}

/** The status; undefined: there was no answer, or one of the gateway itself. */
function ask(port: number, agent: Agent, who: Who): Promise<number | undefined> {
  return new Promise((resolve) => {
    const cookie = `uid=${Math.floor(Math.random() * USERS)}`;
    const headers = who === "tester" ? { "x-tester": "1" } : { cookie };
    const call = request({ host: "127.0.0.1", port, agent, headers }, (response) => {
      response.resume();
      const isOurs = response.headers["x-halftone-error"] !== undefined;
      response.on("end", () => resolve(isOurs ? undefined : response.statusCode));
      response.on("error", () => resolve(undefined));
    });
    call.on("error", () => resolve(undefined));
    call.end();
  });
}
