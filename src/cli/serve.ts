import { resolve } from "node:path";
import { Command } from "commander";
import { pino } from "pino";
import { startHalftone, type Halftone } from "../app.ts";
import { listenText } from "../gateway/listener.ts";

/** `halftone serve -c halftone.yaml`: runs until SIGTERM or SIGINT, which drain; SIGHUP reloads. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("run the gateway with its admin API")
    .requiredOption("-c, --config <file>", "configuration file", "halftone.yaml")
    .action(async (options: { config: string }) => {
      process.exitCode = await serve(resolve(options.config));
    });
}

async function serve(configPath: string): Promise<number> {
  const log = pino();
  let halftone: Halftone;
  try {
    halftone = await startHalftone(configPath, log);
  } catch (error) {
    log.error((error as Error).message);
    process.stderr.write(`halftone: ${(error as Error).message}\n`);
    process.exit(1);
  }
  let reloading: Promise<void> = Promise.resolve();
  process.on("SIGHUP", () => {
    reloading = reloading.then(async () => {
      try {
        await halftone.reload();
        log.info({ gateway: halftone.plane.bound.map(listenText) }, "reloaded");
      } catch (error) {
        log.error(`reload refused, the old configuration stays in force: ${(error as Error).message}`);
      }
    });
  });
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) {
        log.warn(`second ${signal}: connections are cut`);
        halftone.plane.destroy();
        process.exit(1);
      }
      stopping = true;
      log.info(`${signal}: draining`);
      halftone.stop().then(
        () => {
          log.info("stopped");
          resolve(0);
        },
        (error: unknown) => {
          // What is still open would keep the process for ever.
          log.error(`could not stop in order: ${String(error)}`);
          halftone.plane.destroy();
          process.exit(1);
        },
      );
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}
