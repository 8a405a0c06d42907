import type { App, Group } from "../core/app.ts";
import { isSurelyDead } from "../core/health.ts";
import type { Pool } from "../core/pool.ts";
import type { RetryBudget } from "../core/retry-budget.ts";
import type { PoolName } from "../core/select.ts";
import type { AppServers } from "./app-servers.ts";
import type { UpstreamServer } from "./upstream-server.ts";

/**
 * A compiled app with the pools its selections lead to: the snapshot a request keeps from its start to its end.
 */
export class AppRuntime {
  readonly app: App;
  readonly servers: AppServers;
  readonly budget: RetryBudget;
  readonly groupUnderTest: Group | undefined;
  private readonly all: Pool<UpstreamServer>;
  private readonly test: Pool<UpstreamServer>;
  private readonly rest: Pool<UpstreamServer>;

  constructor(app: App, servers: AppServers, budget: RetryBudget) {
    this.app = app;
    this.servers = servers;
    this.budget = budget;
    const group = app.groups[app.deploy - 1];
    this.groupUnderTest = group;
    const serving = app.groups.filter(({ standby }) => !standby);
    this.all = servers.pool(serving, app.balance);
    this.test = group === undefined ? this.all : servers.pool([group], app.balance);
    this.rest =
      group === undefined
        ? this.all
        : servers.pool(
            serving.filter((other) => other !== group),
            app.balance,
          );
  }

  /**
   * The clients who are drawn to the group under test are sent elsewhere, as none of its servers can be asked, but one of
   * them may be well again: a few failures leave it out for its die time. Meanwhile the versions cannot be compared.
   */
  isTestInDoubt(now: number): boolean {
    const { app, test } = this;
    if (app.deploy === 0 || app.share === 0 || test.hasLive(now)) return false;
    return test.members.some(({ server, health }) => server.weight > 0 && !isSurelyDead(health, app.health));
  }

  pool(name: PoolName): Pool<UpstreamServer> {
    switch (name) {
      case "all":
        return this.all;
      case "test":
        return this.test;
      case "rest":
        return this.rest;
    }
  }
}
