import type { AppStore } from "../../directory/app-store.ts";
import { DirectoryUnavailable } from "../../directory/directory.ts";
import type { Log } from "../../directory/log.ts";
import type { ServerStatus } from "../../gateway/server-status.ts";
import type { FleetView } from "../admin-deps.ts";
import { serverRowsOf } from "../server-row.ts";
import { publishChange } from "./change-events.ts";
import type { EventHub } from "./event-hub.ts";
import { GatewayEvents } from "./gateway-events.ts";
import { ServerEvents } from "./server-events.ts";
import { TrafficEvents } from "./traffic-events.ts";
import { VerdictEvents } from "./verdict-events.ts";

export interface EventFeedDeps {
  readonly store: AppStore;
  readonly fleet: FleetView;
  /** As `GatewayView` has it. */
  readonly servers: (app: string) => Promise<readonly ServerStatus[]>;
  readonly log: Log;
  /** Ms since the epoch. */
  readonly now: () => number;
}

export interface EventFeed {
  /** Requests or a check found something about a server of the app: its state may be another one. */
  noteServers(app: string): void;
}

/** Has the hub told of all that goes on. */
export function feedEvents(hub: EventHub, { store, fleet, servers, log, now }: EventFeedDeps): EventFeed {
  const serverEvents = new ServerEvents(hub, async (app) =>
    serverRowsOf(store.get(app)?.document.quarantine, await servers(app)),
  );
  store.subscribe((change) => {
    publishChange(hub, change, now);
    serverEvents.note(change.name);
  });
  const sources = [
    serverEvents,
    new GatewayEvents(hub, { store, fleet, now }),
    new TrafficEvents(hub, { store, roster: fleet.roster, now }),
    new VerdictEvents(hub, store, fleet.roster),
  ];
  for (const source of sources) hub.whileRead(oneAtATime(() => source.turn(), log));
  return { noteServers: (app) => serverEvents.note(app) };
}

/** A turn that takes longer than its second is not overtaken by the next one. */
function oneAtATime(turn: () => Promise<void>, log: Log): () => void {
  let isUnderWay = false;
  return () => {
    if (isUnderWay) return;
    isUnderWay = true;
    turn()
      .catch((error: unknown) => {
        // The store tells of that, and of its end.
        if (error instanceof DirectoryUnavailable) return;
        log.error({ err: error }, "events could not be told of");
      })
      .finally(() => {
        isUnderWay = false;
      });
  };
}
