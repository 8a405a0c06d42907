import { setTimeout as delay } from "node:timers/promises";
import { Command, Option } from "commander";
import type { ReleaseJson } from "../../admin/release-schemas.ts";
import { appPath } from "../admin-client.ts";
import { hasColour, type CliContext, widthOf } from "../cli-context.ts";
import { CliFailure } from "../cli-failure.ts";
import { FullScreen } from "../full-screen.ts";
import { teller } from "../release/await-release.ts";
import { readSurroundings } from "../release/release-surroundings.ts";
import { drawDemo, drawHalftone } from "./draw-demo.ts";
import { hasRedis } from "./demo-redis.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { APP, Stage } from "./stage.ts";

const LOOK_EVERY = 250;
/** Longest that one release of the show may take, in ms. */
const PATIENCE = 10 * 60_000;

interface DemoOptions {
  readonly scenario?: string;
  readonly once?: boolean;
  readonly redis?: boolean;
}

/** `halftone demo`: releases of two groups under load, on this machine, in the terminal and on the page. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("show releases on this machine: gateway, page, six servers, visitors and a tester")
    .addOption(
      new Option("--scenario <id>", "begins with it").choices(SCENARIOS.map(({ id }) => id)).default("good"),
    )
    .option("--once", "end after that release (so it does when the output is no terminal)")
    .option("--redis", "keep the directory in a redis-server of its own, which may then be killed")
    .action(async ({ scenario, once, redis }: DemoOptions) => {
      if (redis === true && !hasRedis()) {
        throw new CliFailure(
          "--redis: found no redis-server, expected that of Debian's package redis-server",
        );
      }
      const first = SCENARIOS.find(({ id }) => id === scenario)!;
      process.exitCode = await demo(first, once === true || !process.stdout.isTTY, redis === true);
    });
}

async function demo(first: Scenario, once: boolean, redis: boolean): Promise<number> {
  const context: CliContext = process;
  const stop = new AbortController();
  const interrupt = (): void => {
    // Whoever asks twice does not want to wait for what the first time began.
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const stage = await Stage.open(context, redis);
  const show = new Show(context, stage, once);
  try {
    show.introduce();
    await show.play(first, stop.signal);
    while (!once && !stop.signal.aborted) await show.choose(stop.signal);
    show.end();
    return stage.visitors.failed === 0 ? 0 : 1;
  } finally {
    show.close();
    await stage.close();
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

/** Shows what happens, and asks what is to happen next. */
class Show {
  private readonly context: CliContext;
  private readonly stage: Stage;
  private readonly once: boolean;
  private readonly isLive: boolean;
  private readonly screen: FullScreen;
  private message = "";
  private readonly keys: string[] = [];

  constructor(context: CliContext, stage: Stage, once: boolean) {
    this.context = context;
    this.stage = stage;
    this.once = once;
    this.isLive = context.stdout.isTTY === true;
    this.screen = new FullScreen(context);
    if (this.isLive && !once && process.stdin.isTTY) {
      process.stdin.setRawMode(true).resume();
      process.stdin.on("data", this.onKey);
    }
  }

  private readonly onKey = (bytes: Buffer): void => {
    const key = bytes.toString();
    // In raw mode Ctrl-C is a key like any other.
    if (key === "\u0003" || key === "q") process.emit("SIGINT");
    else this.keys.push(key);
  };

  introduce(): void {
    if (!this.isLive) for (const line of this.head()) this.print(line);
  }

  /** Plays a release to its end. */
  async play(scenario: Scenario, signal: AbortSignal): Promise<void> {
    this.message = `${scenario.title}: ${scenario.expect}`;
    if (!this.isLive) this.print(`\n${this.message}\n`);
    await this.stage.begin(scenario);
    const tell = teller(this.context);
    const until = performance.now() + PATIENCE;
    let share = -1;
    while (!signal.aborted && performance.now() < until) {
      const view = await this.look();
      if (this.isLive) await this.draw(view);
      else {
        tell(view);
        if (view.phase === "shifting" && view.share !== share) {
          share = view.share;
          for (const line of drawHalftone(view, false)) this.print(line);
        }
      }
      if (view.status === "done" || view.status === "rolledBack") return;
      this.obey(view, signal);
      await delay(LOOK_EVERY, undefined, { signal }).catch(() => {});
    }
  }

  /** Waits for a key that says what to play next. */
  async choose(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const view = await this.look();
      await this.draw(view);
      // Somebody may have begun one on the page.
      if (view.status !== "done" && view.status !== "rolledBack") {
        this.obey(view, signal);
      } else {
        const scenario = SCENARIOS.find(({ key }) => key === this.keys[0]);
        if (this.keys.shift() === "5") void this.stage.killRedis();
        if (scenario !== undefined) {
          await this.play(scenario, signal);
          return;
        }
      }
      await delay(LOOK_EVERY, undefined, { signal }).catch(() => {});
    }
  }

  /** Figures of the whole show. */
  end(): void {
    const { requests, failed, errors } = this.stage.visitors;
    this.close();
    this.print(`\n${requests} requests, ${failed} failed; ${errors} were answered 5xx by a version\n`);
  }

  close(): void {
    this.screen.close();
    process.stdin.off("data", this.onKey);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  /** Keys that are taken while a release runs. */
  private obey({ step }: ReleaseJson, signal: AbortSignal): void {
    const key = this.keys.shift();
    if (key === "5") void this.stage.killRedis();
    if (key !== "r" || signal.aborted) return;
    const body = { reason: "somebody pressed r", step };
    const path = appPath(APP, "/release/rollback");
    this.stage.client.request(path, { method: "POST", body }).catch((error: unknown) => {
      this.message = String(error);
    });
  }

  private async look(): Promise<ReleaseJson> {
    return await this.stage.client.get<ReleaseJson>(appPath(APP, "/release"));
  }

  private async draw(view: ReleaseJson): Promise<void> {
    const around = await readSurroundings(this.stage.client, view);
    const texts = { head: this.head(), foot: this.foot(view) };
    const width = widthOf(this.context, 80);
    this.screen.draw(drawDemo(view, around, texts, width, hasColour(this.context)));
  }

  private head(): readonly string[] {
    const { halftone, dashboardUrl, servers } = this.stage;
    return [
      `page      ${dashboardUrl}`,
      `gateway   http://${halftone.listen[0]}   (as the tester: curl -H "x-tester: 1")`,
      `servers   ${servers.length} in two groups; visitors: 50,000 users and a tester`,
    ];
  }

  private foot({ status }: ReleaseJson): readonly string[] {
    const { visitors, news, redis } = this.stage;
    const { requests, failed, errors } = visitors;
    const isOver = status === "done" || status === "rolledBack";
    const choice = isOver
      ? [
          ...SCENARIOS.map(({ key, title }) => `${key} ${title}`),
          ...(redis === undefined ? [] : ["5 kill Redis"]),
          "q quit",
        ]
      : ["r roll back", ...(redis === undefined ? [] : ["5 kill Redis"]), "q quit"];
    return [
      `${requests} requests, ${failed} failed; ${errors} answered 5xx by a version`,
      news === "" ? this.message : news,
      ...(this.once ? [] : [choice.join("   ")]),
    ];
  }

  private print(line: string): void {
    this.context.stdout.write(`${line}\n`);
  }
}
