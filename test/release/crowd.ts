import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Scene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";

/** Between two requests of one connection, in ms. */
const PAUSE = 12;

/** Very many clients: each request is another one's, told apart by its cookie. */
export class Crowd {
  answered: number = 0;
  /** Clients who were answered by an error, by the version that gave it. */
  readonly met: Map<string, number> = new Map();
  /** Connections that failed: none ever may. */
  readonly failures: string[] = [];
  readonly #running: Promise<unknown>;
  readonly #life = Date.now();
  #uid = 0;
  #stopped = false;

  constructor(ports: readonly number[], connections: number, pauseBetween: number) {
    this.#running = Promise.all(
      Array.from({ length: connections }, (_, n) => this.#come(ports[n % ports.length]!, pauseBetween)),
    );
  }

  /** Resolves when so many more were answered. */
  async more(answers: number): Promise<void> {
    const goal = this.answered + answers;
    await until(`${answers} more answers`, () => this.answered >= goal, { patience: 30_000 });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #come(port: number, pauseBetween: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#stopped) {
      try {
        const { status, version } = await ask(port, `crowd-${this.#life}-${this.#uid++}`, agent);
        this.answered += 1;
        if (status !== 200) this.met.set(version, (this.met.get(version) ?? 0) + 1);
      } catch (error) {
        this.failures.push(String(error));
      }
      await pause(pauseBetween);
    }
    agent.destroy();
  }
}

/** Default: some 600 requests a second. */
export function startCrowd(
  scene: Scene,
  ports: readonly number[],
  { connections = 12, pauseBetween = PAUSE }: { connections?: number; pauseBetween?: number } = {},
): Crowd {
  const crowd = new Crowd(ports, connections, pauseBetween);
  scene.defer(() => crowd.stop());
  return crowd;
}

function ask(
  port: number,
  uid: string,
  agent: Agent,
): Promise<{ readonly status: number; readonly version: string }> {
  return new Promise((resolve, reject) => {
    const headers = { cookie: `uid=${uid}` };
    const asked = request({ host: "127.0.0.1", port, agent, headers, timeout: 15_000 }, (response) => {
      response.resume().on("end", () => {
        resolve({ status: response.statusCode ?? 0, version: String(response.headers["x-version"]) });
      });
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer within 15 s")));
    asked.on("error", reject);
    asked.end();
  });
}
