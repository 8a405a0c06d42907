import { z } from "zod";
import type { AppChange } from "../../directory/app-store.ts";
import { releaseAnswer, type ReleaseJson } from "../release-schemas.ts";
import { verdictAnswer, type VerdictJson } from "../verdict-schemas.ts";
import type { GroupTraffic } from "../../fleet/group-traffic.ts";
import { gatewayRows, groupRows, serverRow, type GatewayRow, type ServerRow } from "../schemas.ts";

/** A document was created, replaced or deleted, whoever did it and wherever. */
export interface AppEvent extends Pick<AppChange, "by" | "what" | "at"> {
  readonly app: string;
  /** Null: it was deleted. */
  readonly revision: number | null;
}

export interface TrafficEvent {
  readonly app: string;
  /** ISO 8601. */
  readonly at: string;
  /** In the order of the document. */
  readonly groups: readonly GroupTraffic[];
}

/** What each type of event carries. A new type stands here and in the next list; then it may be published. */
export interface EventData {
  readonly app: AppEvent;
  /** As `GET /apps/{name}/release` answers. */
  readonly release: ReleaseJson;
  /** As a row of `GET /apps/{name}/servers`. */
  readonly server: ServerRow & { readonly app: string };
  /** As `GET /gateways` answers. */
  readonly gateway: readonly GatewayRow[];
  readonly traffic: TrafficEvent;
  /** As `GET /apps/{name}/verdict` answers. */
  readonly verdict: VerdictJson;
}

export type EventType = keyof EventData;

const appName = z.string();
const time = z.iso.datetime();

/** Every type that can be asked for, with the form of its data. */
export const EVENT_SCHEMAS: Readonly<Record<EventType, z.ZodType>> = {
  app: z.object({
    app: appName,
    revision: z.int().nullable().describe("null: it was deleted"),
    by: z.string(),
    what: z.string(),
    at: time,
  }),
  release: releaseAnswer,
  server: serverRow.and(z.object({ app: appName })),
  gateway: gatewayRows,
  traffic: z.object({
    app: appName,
    at: time,
    groups: groupRows,
  }),
  verdict: verdictAnswer,
};

export const EVENT_TYPES: readonly EventType[] = Object.keys(EVENT_SCHEMAS) as EventType[];

/** Types of which only the newest says anything: who was away gets none of them later. */
export const PASSING_TYPES: ReadonlySet<EventType> = new Set(["traffic"]);
