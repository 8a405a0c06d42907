import { z } from "zod";
import type { AdminDeps } from "../admin-deps.ts";
import { refusal } from "../api-problem.ts";
import type { Operation } from "../operation.ts";
import { nameText } from "../schemas.ts";
import type { EventFilter } from "./event-filter.ts";
import { eventStream } from "./event-stream.ts";
import { EVENT_SCHEMAS, EVENT_TYPES, type EventType } from "./event-types.ts";

/** Seconds after which one who was refused may find a place. */
const LATER = 10;

const HEADERS = {
  "Content-Type": "text/event-stream",
  // nginx and those that follow it would else gather events until their buffer is full.
  "X-Accel-Buffering": "no",
  // The connection has no other use once the events end.
  Connection: "close",
};

const RESUME = "the id of the last event that was read: what came since is told first";

/** Events, pushed. */
export function eventOperations({ events }: AdminDeps): readonly Operation[] {
  return [
    {
      role: "viewer",
      id: "followEvents",
      method: "get",
      path: "/api/v1/events",
      summary: "Changes as they come, and counters once a second, as server-sent events that never end",
      parameters: [
        {
          in: "query",
          name: "app",
          description: "Only of this app; may be given several times. Default: of all",
          schema: z.array(nameText),
        },
        {
          in: "query",
          name: "types",
          description: `Only of these types, comma-separated: ${EVENT_TYPES.join(", ")}. Default: of all`,
          schema: nameText,
        },
        { in: "header", name: "Last-Event-ID", description: RESUME, schema: nameText },
        { in: "query", name: "lastEventId", description: `Without the header: ${RESUME}`, schema: nameText },
      ],
      answers: {
        200: {
          description: "The events; a `reset` says that some were missed, and everything is to be read anew",
          type: "text/event-stream",
          schema: z.string(),
          events: EVENT_SCHEMAS,
        },
      },
      refusals: [400, 503],
      handle(c) {
        const filter = filterOf(c.req.queries("app"), c.req.queries("types"));
        if (filter instanceof Response) return filter;
        if (c.req.method === "HEAD") return c.body(null, 200, HEADERS);
        const lastEventId = [c.req.header("last-event-id"), c.req.query("lastEventId")].find(
          (id) => id !== undefined && id !== "",
        );
        const stream = eventStream(
          events,
          { filter, lastEventId, by: c.var.by, mayStay: c.var.identity.isCurrent },
          c.env,
        );
        if (stream !== undefined) return c.body(stream, 200, HEADERS);
        return refusal("too-many-readers", `expected a place within some time; those who read now go on`, {
          headers: { "Retry-After": String(LATER) },
        });
      },
    },
  ];
}

function filterOf(apps: readonly string[] = [], written: readonly string[] = []): EventFilter | Response {
  const types = written.flatMap((list) => list.split(",")).map((type) => type.trim());
  const unknown = types.filter((type) => !EVENT_TYPES.includes(type as EventType));
  if (unknown.length > 0) {
    return refusal(
      "bad-request",
      `found types ${unknown.join(", ")}, expected some of ${EVENT_TYPES.join(", ")}`,
    );
  }
  return {
    apps: apps.length === 0 ? undefined : new Set(apps),
    types: types.length === 0 ? undefined : new Set(types as EventType[]),
  };
}
