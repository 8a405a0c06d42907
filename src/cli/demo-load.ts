import { Agent, request } from "node:http";

/** What the servers of one group gave to one kind of client in the last moments, by version. */
export type Counts = Map<string, number>;

const WINDOW = 1000;

interface Sample {
  readonly at: number;
  readonly who: Who;
  /** "group1 v2" */
  readonly from: string;
}

export type Who = "public" | "tester";

/** A small steady load: a dozen clients and one tester, each with a connection and an address of its own. */
export class DemoLoad {
  requests = 0;
  failed = 0;
  private samples: Sample[] = [];
  private running = true;
  private readonly loops: Promise<void>[] = [];

  constructor(port: number, clients: number) {
    for (let i = 0; i < clients; i++) this.loops.push(this.loop(port, "public", `127.0.0.${20 + i}`));
    this.loops.push(this.loop(port, "tester", "127.0.0.111"));
  }

  /** Requests of the last second by who sent them and who answered. */
  recent(who: Who): Counts {
    const since = performance.now() - WINDOW;
    this.samples = this.samples.filter((sample) => sample.at >= since);
    const counts: Counts = new Map();
    for (const sample of this.samples) {
      if (sample.who === who) counts.set(sample.from, (counts.get(sample.from) ?? 0) + 1);
    }
    return counts;
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.loops);
  }

  private async loop(port: number, who: Who, localAddress: string): Promise<void> {
    // Other systems than Linux have only 127.0.0.1 on the loopback; the tester is known by a header too.
    const address = process.platform === "linux" ? { localAddress } : {};
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ...address });
    while (this.running) {
      this.requests++;
      const from = await this.ask(port, agent, who);
      if (from === undefined) this.failed++;
      else this.samples.push({ at: performance.now(), who, from });
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    agent.destroy();
  }

  private ask(port: number, agent: Agent, who: Who): Promise<string | undefined> {
    return new Promise((resolve) => {
      const headers = who === "tester" ? { "x-tester": "1" } : {};
      const call = request({ host: "127.0.0.1", port, agent, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => resolve(response.statusCode === 200 ? text.trim() : undefined));
        response.on("error", () => resolve(undefined));
      });
      call.on("error", () => resolve(undefined));
      call.end();
    });
  }
}
