import { Agent } from "node:http";
import { type Answer, ask, AskFailed } from "./client.ts";
import type { Scene } from "./scene.ts";
import { until } from "./until.ts";

export interface LoadFailure {
  readonly client: number;
  /** Status, or what happened to the connection. */
  readonly what: string;
  /** False: the connection was new, and nobody had accepted it for all the client knows. */
  readonly standing: boolean;
}

/** Clients that each keep one connection and send GET after GET until they are stopped. */
export class Load {
  answered: number = 0;
  /** Answers other than 200, and connections that failed. */
  readonly failures: LoadFailure[] = [];
  /** How often each server answered. */
  readonly served: Map<string, number> = new Map();
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(options: { readonly port: number; readonly clients: number; readonly path: string }) {
    this.#running = Promise.all(
      Array.from({ length: options.clients }, (_, client) => this.#client(client, options)),
    );
  }

  /** Resolves when so many more requests were answered. */
  async more(requests: number): Promise<void> {
    const goal = this.answered + requests;
    await until(`${requests} more answers`, () => this.answered >= goal, {
      instead: () => this.failures.slice(-3),
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #client(client: number, options: { readonly port: number; readonly path: string }): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#stopped) {
      try {
        this.#count(client, await ask({ port: options.port, path: options.path, agent }));
      } catch (error) {
        this.failures.push({
          client,
          what: String(error),
          standing: error instanceof AskFailed && error.standing,
        });
      }
    }
    agent.destroy();
  }

  #count(client: number, answer: Answer): void {
    this.answered += 1;
    this.served.set(answer.servedBy, (this.served.get(answer.servedBy) ?? 0) + 1);
    if (answer.status !== 200)
      this.failures.push({ client, what: `${answer.status} ${answer.text}`, standing: true });
  }
}

/** Defaults: 16 clients, path "/". */
export function startLoad(
  scene: Scene,
  options: { readonly port: number; readonly clients?: number; readonly path?: string },
): Load {
  const load = new Load({ clients: 16, path: "/", ...options });
  scene.defer(() => load.stop());
  return load;
}
