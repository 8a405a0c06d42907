import { Agent, type OutgoingHttpHeaders, request } from "node:http";
import { once } from "node:events";
import { WebSocket } from "ws";
import type { Scene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";

/** How a visitor comes: on a kept connection, on a new one each time, for 1 MiB, for an answer after 2 s, by WebSocket. */
export const KINDS = ["kept", "short", "large", "slow", "tunnel"] as const;
export type Kind = (typeof KINDS)[number];

const LARGE = 1024 * 1024;
/** Messages of a tunnel before it ends and another one is opened. */
const MESSAGES = 20;
const SILENCE = 15_000;

/** A visitor is told apart by its cookie, and sees one version after the other. */
interface Visitor {
  readonly kind: Kind;
  readonly uid: string;
  readonly port: number;
  version: string;
}

/** Visitors of every kind at every gateway, who never stop asking. */
export class Visitors {
  answered: number = 0;
  readonly byKind: Map<Kind, number> = new Map();
  readonly byVersion: Map<string, number> = new Map();
  /** Requests that failed, and visitors who were sent back to a version they had left. */
  readonly failures: string[] = [];
  /** Set while a rollback may send visitors back. */
  mayReturn: boolean = false;
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(ports: readonly number[], each: number) {
    const visitors = ports.flatMap((port) =>
      KINDS.flatMap((kind) =>
        Array.from({ length: each }, (_, n) => ({ kind, uid: `${kind}-${port}-${n}`, port, version: "" })),
      ),
    );
    this.#running = Promise.all(visitors.map((visitor) => this.#come(visitor)));
  }

  /** Resolves when so many more were answered. */
  async more(answers: number): Promise<void> {
    const goal = this.answered + answers;
    await until(`${answers} more answers`, () => this.answered >= goal, {
      patience: 30_000,
      instead: () => this.failures.slice(-3),
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #come(visitor: Visitor): Promise<void> {
    const agent = new Agent({ keepAlive: visitor.kind !== "short", maxSockets: 1 });
    while (!this.#stopped) {
      try {
        if (visitor.kind === "tunnel") await this.#tunnel(visitor);
        else await this.#ask(visitor, agent);
      } catch (error) {
        this.failures.push(`${visitor.uid}: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    agent.destroy();
  }

  async #ask(visitor: Visitor, agent: Agent): Promise<void> {
    const path = visitor.kind === "large" ? "/large" : visitor.kind === "slow" ? "/slow" : "/";
    const { status, version, length } = await get(visitor, path, agent);
    if (status !== 200) throw new Error(`status ${status}`);
    if (visitor.kind === "large" && length !== LARGE) throw new Error(`${length} bytes of ${LARGE}`);
    this.#seen(visitor, version);
  }

  async #tunnel(visitor: Visitor): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${visitor.port}/`, {
      headers: cookieOf(visitor),
      handshakeTimeout: SILENCE,
    });
    const broken = new Promise<never>((_, reject) => {
      socket.on("error", reject);
      socket.on("close", (code) => reject(new Error(`the tunnel was closed: ${code}`)));
    });
    broken.catch(() => undefined);
    try {
      await Promise.race([once(socket, "open"), broken]);
      for (let message = 0; message < MESSAGES && !this.#stopped; message += 1) {
        const echo = once(socket, "message");
        socket.send(String(message));
        const [answer] = (await Promise.race([echo, broken])) as [Buffer];
        const [version = "", back] = answer.toString().split(" ");
        if (back !== String(message)) throw new Error(`echo ${answer.toString()}`);
        this.#seen(visitor, version);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      socket.removeAllListeners("close");
      socket.close();
    }
  }

  #seen(visitor: Visitor, version: string): void {
    this.answered += 1;
    this.byKind.set(visitor.kind, (this.byKind.get(visitor.kind) ?? 0) + 1);
    this.byVersion.set(version, (this.byVersion.get(version) ?? 0) + 1);
    if (numberOf(version) < numberOf(visitor.version) && !this.mayReturn) {
      this.failures.push(`${visitor.uid} was sent back from ${visitor.version} to ${version}`);
    }
    visitor.version = version;
  }
}

/** Default: two visitors of each kind at each gateway. */
export function startVisitors(scene: Scene, ports: readonly number[], each: number = 2): Visitors {
  const visitors = new Visitors(ports, each);
  scene.defer(() => visitors.stop());
  return visitors;
}

function numberOf(version: string): number {
  return Number(version.slice(1));
}

function cookieOf({ uid }: Visitor): OutgoingHttpHeaders & Record<string, string> {
  return { cookie: `uid=${uid}` };
}

function get(
  visitor: Visitor,
  path: string,
  agent: Agent,
): Promise<{ readonly status: number; readonly version: string; readonly length: number }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port: visitor.port, path, agent, headers: cookieOf(visitor), timeout: SILENCE },
      (response) => {
        let length = 0;
        response.on("data", (bytes: Buffer) => (length += bytes.length));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            version: String(response.headers["x-version"]),
            length,
          }),
        );
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`silence for ${SILENCE} ms`)));
    outgoing.on("error", reject);
    outgoing.end();
  });
}
