import { Command } from "commander";
import { AdminClient, withAdminOptions, type AdminOptions } from "../admin-client.ts";
import { printLine, type CliContext } from "../cli-context.ts";
import { lineOfEvent } from "./event-lines.ts";
import { followedEvents } from "./followed-events.ts";

interface EventsOptions extends AdminOptions {
  readonly types?: string;
  readonly json?: boolean;
}

/** `halftone events [NAME...]` */
export function eventsCommand(context: CliContext): Command {
  return withAdminOptions(new Command("events"))
    .description("what goes on, one line an event, until Ctrl-C; connects again when the gateway is replaced")
    .argument("[names...]", "names of apps; default: all")
    .option("--types <list>", "only these, like app,release,server; default: all")
    .option("--json", 'as JSON, one line an event: {"id", "event", "data"}')
    .action(async (names: readonly string[], options: EventsOptions) => {
      const client = await AdminClient.open(context, options);
      const query = new URLSearchParams(names.map((name): [string, string] => ["app", name]));
      if (options.types !== undefined) query.set("types", options.types);
      const path = `/api/v1/events?${query.toString()}`;
      const interrupted = new AbortController();
      const interrupt = (): void => interrupted.abort();
      process.on("SIGINT", interrupt);
      process.on("SIGTERM", interrupt);
      try {
        for await (const one of followedEvents(client, path, interrupted.signal)) {
          if (one.kind === "away") {
            context.stderr.write(`halftone: ${one.reason}; connecting again in ${one.pause / 1000} s\n`);
          } else if (options.json === true) {
            const { id, type, data } = one.event;
            printLine(context, JSON.stringify({ id, event: type, data: JSON.parse(data) as unknown }));
          } else printLine(context, lineOfEvent(one.event, Date.now()));
        }
      } finally {
        process.off("SIGINT", interrupt);
        process.off("SIGTERM", interrupt);
      }
    });
}
