import type { AppStore } from "../../directory/app-store.ts";
import type { Roster } from "../../fleet/roster.ts";
import { readCase } from "../../release/case.ts";
import { isRunning } from "../../release/release-record.ts";
import { verdictJson } from "../verdict-schemas.ts";
import type { EventHub } from "./event-hub.ts";

/** Tells of the evidence on releases that run, after each window. */
export class VerdictEvents {
  readonly #hub: EventHub;
  readonly #store: AppStore;
  readonly #roster: Roster;
  /** When the report was made that was told last, by app. */
  readonly #told = new Map<string, number>();

  constructor(hub: EventHub, store: AppStore, roster: Roster) {
    this.#hub = hub;
    this.#store = store;
    this.#roster = roster;
  }

  /** Throws `DirectoryUnavailable`. */
  async turn(): Promise<void> {
    const running = this.#store
      .list()
      .filter((app) => isRunning(app.releases) && this.#hub.isRead("verdict", app.name));
    for (const app of this.#told.keys()) {
      if (!running.some(({ name }) => name === app)) this.#told.delete(app);
    }
    for (const { name } of running) {
      const report = readCase((await this.#roster.verdict(name))?.state)?.report;
      if (report === undefined || report === null || this.#told.get(name) === report.at) continue;
      this.#told.set(name, report.at);
      this.#hub.publish("verdict", name, verdictJson(name, report));
    }
  }
}
