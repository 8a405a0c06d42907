import { Command } from "commander";
import type { ReleaseJson } from "../../admin/release-schemas.ts";
import { AdminClient, withAdminOptions, type AdminOptions } from "../admin-client.ts";
import { hasColour, printLine, type CliContext, widthOf } from "../cli-context.ts";
import { CliFailure, Unreachable } from "../cli-failure.ts";
import { FullScreen } from "../full-screen.ts";
import { teller } from "./await-release.ts";
import { drawRelease } from "./draw-release.ts";
import { looksAt, pauseOf } from "./release-looks.ts";
import { readSurroundings, type Surroundings } from "./release-surroundings.ts";
import { changeKey, printable } from "./release-words.ts";

interface WatchOptions extends AdminOptions {
  readonly every?: string;
  readonly json?: boolean;
}

/** `halftone release watch NAME` */
export function watchCommand(context: CliContext): Command {
  return withAdminOptions(new Command("watch"))
    .description("a live picture of the release until its end; plain lines where there is no terminal")
    .argument("<name>", "name of the app")
    .option("--every <duration>", "how often to look (1s)")
    .option("--json", "as JSON: the release, one line for each change")
    .action(async (name: string, options: WatchOptions) => {
      const every = pauseOf(options.every);
      const client = await AdminClient.open(context, options);
      const interrupted = new AbortController();
      const interrupt = (): void => interrupted.abort();
      process.on("SIGINT", interrupt);
      process.on("SIGTERM", interrupt);
      const isLive = context.stdout.isTTY === true && context.env["TERM"] !== "dumb" && options.json !== true;
      const screen = isLive ? new LiveScreen(context, client) : new Lines(context, options.json === true);
      try {
        const looks = looksAt(client, name, { every, signal: interrupted.signal, patient: isLive });
        for await (const look of looks) {
          if (look.kind === "away") {
            screen.away(look.reason);
            continue;
          }
          await screen.show(look.view);
          if (endOf(look.view)) return;
        }
      } finally {
        screen.end();
        process.off("SIGINT", interrupt);
        process.off("SIGTERM", interrupt);
      }
    });
}

/** True: done. Rolled back is a `CliFailure`; false: it goes on. */
function endOf({ id, app, status, reason }: ReleaseJson): boolean {
  if (status !== "rolledBack") return status === "done";
  throw new CliFailure(printable(`release ${id} of ${app} was rolled back; ${reason ?? ""}`), 3);
}

interface Screen {
  show(view: ReleaseJson): Promise<void>;
  /** Nobody answers; what was shown last may be old. */
  away(reason: string): void;
  end(): void;
}

/** For files, pipes and CI: nothing is ever drawn over. */
class Lines implements Screen {
  private readonly context: CliContext;
  private readonly tell: (view: ReleaseJson) => void;
  private isAway = false;

  constructor(context: CliContext, isJson: boolean) {
    this.context = context;
    this.tell = isJson ? jsonTeller(context) : teller(context);
  }

  show(view: ReleaseJson): Promise<void> {
    this.isAway = false;
    this.tell(view);
    return Promise.resolve();
  }

  away(reason: string): void {
    if (!this.isAway) this.context.stderr.write(`halftone: ${reason}; looking again\n`);
    this.isAway = true;
  }

  end(): void {}
}

function jsonTeller(context: CliContext): (view: ReleaseJson) => void {
  let told = "";
  return (view) => {
    if (changeKey(view) !== told) printLine(context, JSON.stringify(view));
    told = changeKey(view);
  };
}

/** On the terminal's other screen, so that nothing is left of it but the last picture. */
class LiveScreen implements Screen {
  private readonly context: CliContext;
  private readonly client: AdminClient;
  private last: { readonly view: ReleaseJson; readonly around: Surroundings } | undefined;
  private readonly screen: FullScreen;

  constructor(context: CliContext, client: AdminClient) {
    this.context = context;
    this.screen = new FullScreen(context);
    this.client = client;
  }

  async show(view: ReleaseJson): Promise<void> {
    this.last = { view, around: await this.surroundings(view) };
    this.screen.draw(this.picture());
  }

  away(reason: string): void {
    this.screen.draw([...this.picture(), "", printable(`${reason}; looking again`).slice(0, this.width)]);
  }

  end(): void {
    this.screen.close();
    for (const line of this.picture()) printLine(this.context, line);
  }

  private async surroundings(view: ReleaseJson): Promise<Surroundings> {
    try {
      return await readSurroundings(this.client, view);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      return this.last?.around ?? { servers: [], groups: [] };
    }
  }

  private picture(): readonly string[] {
    if (this.last === undefined) return [];
    const { view, around } = this.last;
    const colour = hasColour(this.context);
    return drawRelease(view, around.servers, around.groups, this.width, colour, around.verdict);
  }

  private get width(): number {
    return widthOf(this.context, 80);
  }
}
