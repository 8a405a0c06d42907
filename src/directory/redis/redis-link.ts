import type { RedisConfig } from "../../config/halftone-config.ts";
import { nodeText, type RedisNode } from "../../config/redis-target.ts";
import { DirectoryUnavailable } from "../directory.ts";
import { findPrimary } from "./find-primary.ts";
import { TooSlow, within } from "../within.ts";
import { ANSWER_TIME, connect, reasonOf, type RedisClient } from "./redis-client.ts";
import { readLogin } from "./redis-login.ts";

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 3000;
/** How often the connection is asked for a sign of life, in ms: a server that was stopped closes nothing. */
const PULSE = 1000;
/** Every how many pulses it is asked who the primary is: a failover need not close the old one's connections. */
const PULSES_PER_SEARCH = 5;

/** What Redis answers when another server has to be asked, or this one later. */
const ELSEWHERE = /^(?:READONLY|MOVED|ASK|CLUSTERDOWN|MASTERDOWN|LOADING|TRYAGAIN|NOMASTERLINK|UNBLOCKED)\b/;

export interface LinkOptions {
  readonly config: RedisConfig;
  /** A key in the slot that everything lies in. */
  readonly key: string;
  /** Makes a new connection ready, before it is used: the server has to tell of changes. */
  readonly prepare: (client: RedisClient) => Promise<void>;
  /** A connection is ready: whatever was missed meanwhile has to be read. */
  readonly onUp: () => void;
  readonly onDown: (reason: string) => void;
  /** Keys that changed; null: everything did. */
  readonly onInvalidate: (key: string | null) => void;
  /** From 0 to below 1. Default `Math.random`. */
  readonly dice?: () => number;
}

/**
 * The connection to the primary: lost ones are replaced, at longer and longer intervals with jitter, for ever. Nobody
 * waits for it: while there is none, `use` fails at once.
 */
export class RedisLink {
  readonly #options: LinkOptions;
  readonly #dice: () => number;
  #client: RedisClient | undefined;
  #node: RedisNode | undefined;
  #attempt: Promise<void> | undefined;
  #failures = 0;
  #reason = "not connected yet";
  #retry: NodeJS.Timeout | undefined;
  #pulse: NodeJS.Timeout | undefined;
  #pulses = 0;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#dice = options.dice ?? Math.random;
  }

  /**
   * Runs commands on the connection. Only the first attempt ever is waited for. Throws `DirectoryUnavailable` when there is
   * no connection, when it is lost meanwhile, when the answer takes too long (then the connection is given up: what
   * became of a write is not known), or when Redis refuses.
   */
  async use<T>(task: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#client === undefined && this.#failures === 0) await this.#connect();
    const client = this.#client;
    if (client === undefined) throw new DirectoryUnavailable(this.#reason);
    try {
      return await within(ANSWER_TIME, task(client));
    } catch (error) {
      if (error instanceof DirectoryUnavailable) throw error;
      const reason = this.#tell(reasonOf(error));
      if (error instanceof TooSlow || ELSEWHERE.test(reasonOf(error))) this.#lose(client, reason);
      throw new DirectoryUnavailable(reason, { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearInterval(this.#pulse);
    await this.#attempt;
    this.#client?.destroy();
    this.#client = undefined;
  }

  #tell(reason: string): string {
    return this.#node === undefined || reason.includes(nodeText(this.#node))
      ? reason
      : `${nodeText(this.#node)}: ${reason}`;
  }

  async #connect(): Promise<void> {
    this.#attempt ??= this.#tryToConnect().finally(() => {
      this.#attempt = undefined;
    });
    await this.#attempt;
  }

  async #tryToConnect(): Promise<void> {
    let client: RedisClient | undefined;
    try {
      const { config, key } = this.#options;
      const login = await readLogin(config);
      const node = await findPrimary(config.target, login, key);
      this.#node = node;
      client = await connect(node, login, config.target.database, (reason) => {
        if (client !== undefined) this.#lose(client, this.#tell(reason));
      });
      await within(ANSWER_TIME, this.#greet(client));
    } catch (error) {
      client?.destroy();
      this.#failed(this.#tell(reasonOf(error)));
      return;
    }
    if (this.#closed) {
      client.destroy();
      return;
    }
    this.#client = client;
    this.#failures = 0;
    this.#pulses = 0;
    clearInterval(this.#pulse);
    this.#pulse = setInterval(() => void this.#feelPulse(), PULSE).unref();
    this.#options.onUp();
  }

  async #greet(client: RedisClient): Promise<void> {
    const role: unknown = await client.sendCommand(["ROLE"]).catch((error: unknown) => {
      if (reasonOf(error).startsWith("NOPERM")) return ["master"];
      throw error;
    });
    const found = Array.isArray(role) ? String(role[0]) : "an unknown role";
    if (found !== "master")
      throw new Error(`found a read-only replica (role ${found}), expected the primary`);
    client.on("invalidate", (key: Buffer | string | null) => {
      if (client === this.#client) this.#options.onInvalidate(key === null ? null : key.toString());
    });
    await this.#options.prepare(client);
  }

  async #feelPulse(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    try {
      // Not PING: a node of a cluster that no longer serves the slot answers that as before.
      await within(ANSWER_TIME, client.exists(this.#options.key));
      this.#pulses += 1;
      if (this.#pulses % PULSES_PER_SEARCH === 0) await this.#searchPrimary(client);
    } catch (error) {
      this.#lose(client, this.#tell(reasonOf(error)));
    }
  }

  async #searchPrimary(client: RedisClient): Promise<void> {
    const { config, key } = this.#options;
    if (config.target.kind === "server") return;
    let node: RedisNode;
    try {
      node = await findPrimary(config.target, await readLogin(config), key);
    } catch {
      // Who cannot be asked now says nothing about the connection that works.
      return;
    }
    const current = this.#node;
    if (current === undefined || (node.host === current.host && node.port === current.port)) return;
    this.#lose(client, `${nodeText(node)} is the primary now, no longer ${nodeText(current)}`);
  }

  #lose(client: RedisClient, reason: string): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    clearInterval(this.#pulse);
    client.destroy();
    this.#failed(reason);
  }

  #failed(reason: string): void {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    this.#reason = reason;
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connect(), pause * (0.5 + this.#dice() / 2)).unref();
    this.#options.onDown(reason);
  }
}
