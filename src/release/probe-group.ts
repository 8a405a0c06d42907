import type { App, Server } from "../core/app.ts";
import type { CheckedServer } from "../core/release-event.ts";
import type { AddressGuard } from "../gateway/address-guard.ts";
import { checkServer, type ServerCheck } from "../gateway/check-server.ts";
import type { ServerTlsTable } from "../gateway/tls-servers.ts";
import { REAL_TIME, type Time } from "./time.ts";

/** Of an app without checks of its own. */
const DEFAULT_TIMEOUT = 2000;
const DEFAULT_INTERVAL = 500;
/** A group may be large; its servers are not all asked in the same moment. */
const MOST_AT_ONCE = 64;

export interface ProbeSettings {
  readonly app: App;
  /** Of the app's group that was updated. */
  readonly servers: readonly Server[];
  /** Those in force, asked for each check. */
  readonly guard: () => AddressGuard;
  readonly serverTls: () => ServerTlsTable;
  /** Milliseconds from the end of one round to the next. Default 500. */
  readonly interval?: number;
  readonly time?: Time;
}

/**
 * Checks every server, round after round, until it is stopped: by the app's own check, or without one by GET / answered
 * with any status below 500. `onRound` is told after each how often every server has passed in a row since the begin.
 */
export function probeGroup(
  settings: ProbeSettings,
  onRound: (servers: readonly CheckedServer[]) => void,
): { stop(): void } {
  const { app, servers, guard, serverTls, interval = DEFAULT_INTERVAL, time = REAL_TIME } = settings;
  const check = checkOf(app);
  const states: CheckedServer[] = servers.map(({ id }) => ({ id, passed: 0 }));
  let stopped = false;
  let cancel = (): void => {};

  async function round(): Promise<void> {
    let next = 0;
    const ask = async (): Promise<void> => {
      while (next < servers.length && !stopped) {
        const index = next++;
        const { id, target } = servers[index]!;
        const error = await checkServer(target, check, guard(), serverTls());
        const passed = states[index]!.passed + 1;
        states[index] = error === undefined ? { id, passed } : { id, passed: 0, error };
      }
    };
    await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, servers.length) }, ask));
    if (stopped) return;
    cancel = time.after(interval, begin);
    onRound([...states]);
  }

  function begin(): void {
    void round();
  }

  begin();
  return {
    stop() {
      stopped = true;
      cancel();
    },
  };
}

function checkOf({ check, tls, proxyProtocol }: App): ServerCheck {
  const { path, timeout, expect } = check ?? { path: "/", timeout: DEFAULT_TIMEOUT, expect: undefined };
  return { path, timeout, expect, tls, proxyProtocol };
}
