import type { ServerRow } from "../schemas.ts";
import type { EventHub } from "./event-hub.ts";

/** Apps whose servers are asked for at the same time: the processes that are asked carry traffic. */
const AT_ONCE = 16;

/**
 * Tells when servers change sides. What may have changed is noted when it happens, at no cost; only that is asked for, once
 * a second, while somebody reads.
 */
export class ServerEvents {
  readonly #hub: EventHub;
  readonly #serversOf: (app: string) => Promise<readonly ServerRow[]>;
  /** Apps of whose servers one may have changed since they were asked for. */
  readonly #noted = new Set<string>();
  /** The state of each server as it was told last, by app. */
  readonly #told = new Map<string, ReadonlyMap<string, string>>();

  constructor(hub: EventHub, serversOf: (app: string) => Promise<readonly ServerRow[]>) {
    this.#hub = hub;
    this.#serversOf = serversOf;
  }

  /** A server of the app may have changed its state. */
  note(app: string): void {
    if (this.#hub.isAwaited("server", app)) this.#noted.add(app);
    else {
      // Nobody follows: what was told is no longer what readers know.
      this.#noted.delete(app);
      this.#told.delete(app);
    }
  }

  async turn(): Promise<void> {
    const apps = [...this.#noted].filter((app) => this.#hub.isRead("server", app));
    for (let first = 0; first < apps.length; first += AT_ONCE) {
      await Promise.all(apps.slice(first, first + AT_ONCE).map((app) => this.#tell(app)));
    }
  }

  async #tell(app: string): Promise<void> {
    // Before they are asked for: what happens meanwhile is noted anew.
    this.#noted.delete(app);
    const rows = await this.#serversOf(app);
    const before = this.#told.get(app);
    for (const row of rows) {
      if (before?.get(row.server) !== stateOf(row)) this.#hub.publish("server", app, { app, ...row });
    }
    if (rows.length === 0) this.#told.delete(app);
    else this.#told.set(app, new Map(rows.map((row) => [row.server, stateOf(row)])));
  }
}

/** All of it but counters. */
function stateOf({ group, weight, state, deadUntil, healthy, lastError }: ServerRow): string {
  return JSON.stringify([group, weight, state, deadUntil, healthy, lastError]);
}
