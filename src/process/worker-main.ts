import cluster from "node:cluster";
import { readFileSync } from "node:fs";
import { Gateway } from "../gateway/gateway.ts";
import { openAccessLog } from "../telemetry/access-log.ts";
import { openTracer } from "../telemetry/open-tracer.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** How long a worker whose supervisor is gone waits for the next supervisor before it drains. */
const ORPHAN_TIME = 10_000;
const ORPHAN_POLL = 50;
/** How long a worker tries for an address that workers of a dead supervisor still hold. */
const LISTEN_TIME = 15_000;
const LISTEN_PAUSE = 50;

/**
 * A worker carries traffic and does nothing else. It gets documents by message and never asks the directory; when the
 * supervisor dies it goes on with what it knows until another supervisor has come, or for ten seconds.
 */
class Worker {
  private gateway: Gateway | undefined;
  private supervisor: Extract<ToWorker, { type: "start" }>["supervisor"] | undefined;
  private draining = false;

  run(): void {
    const worker = cluster.worker!;
    process.on("message", (message) => {
      this.receive(message as ToWorker).catch((error: unknown) => {
        this.send({ type: "error", message: String(error) });
      });
    });
    worker.on("disconnect", () => {
      // Node ends a worker whose primary is gone, unless it left of its own will.
      worker.exitedAfterDisconnect = true;
      this.onOrphaned();
    });
    // A terminal's Ctrl-C reaches every process of the group: the supervisor says when to drain.
    process.on("SIGINT", () => {});
    process.on("SIGHUP", () => {});
    process.on("SIGTERM", () => void this.drain());
    this.send({ type: "up" });
  }

  private send(message: FromWorker): void {
    if (process.connected) process.send!(message, undefined, undefined, () => {});
  }

  private async receive(message: ToWorker): Promise<void> {
    switch (message.type) {
      case "start":
        await this.start(message);
        break;
      case "putApp":
        this.answer(message.id, () => this.gateway!.putApp(message.app));
        break;
      case "deleteApp":
        this.answer(message.id, () => this.gateway!.deleteApp(message.name));
        break;
      case "reconfigure":
        try {
          await this.gateway!.reconfigure(message.settings, message.tls);
          this.send({ type: "reconfigured", id: message.id, bound: this.gateway!.bound });
        } catch (error) {
          this.send({ type: "refused", id: message.id, reason: (error as Error).message });
        }
        break;
      case "servers":
        this.send({ type: "servers", id: message.id, servers: this.gateway!.servers(message.app) });
        break;
      case "news":
        this.send({
          type: "news",
          id: message.id,
          process: this.gateway!.report(),
          apps: [...this.gateway!.takeNews()],
          tallies: [...this.gateway!.takeTallies()],
        });
        break;
      case "finding":
        this.gateway!.adopt(message.finding);
        break;
      case "drain":
        await this.drain();
        break;
    }
  }

  private answer(id: number, action: () => void): void {
    try {
      action();
      this.send({ type: "done", id });
    } catch (error) {
      this.send({ type: "refused", id, reason: (error as Error).message });
    }
  }

  private async start(message: Extract<ToWorker, { type: "start" }>): Promise<void> {
    this.supervisor = message.supervisor;
    const gateway = new Gateway(
      message.settings,
      {
        onFinding: (finding) => this.send({ type: "finding", finding }),
        onError: (error) => this.send({ type: "error", message: error.message }),
        openAccessLog,
        openTracer,
      },
      message.tls,
    );
    this.gateway = gateway;
    gateway.replaceApps(message.apps);
    const deadline = message.supervisor.followsCrash ? Date.now() + LISTEN_TIME : 0;
    for (;;) {
      try {
        this.send({ type: "ready", bound: await gateway.listen() });
        return;
      } catch (error) {
        if (!isInUse(error) || Date.now() > deadline || !process.connected) {
          this.send({ type: "failed", reason: (error as Error).message });
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, LISTEN_PAUSE));
      }
    }
  }

  private onOrphaned(): void {
    if (this.draining) return;
    if (this.gateway === undefined) process.exit(0);
    const until = Date.now() + ORPHAN_TIME;
    const timer = setInterval(() => {
      if (!this.hasSuccessor() && Date.now() < until) return;
      clearInterval(timer);
      void this.drain();
    }, ORPHAN_POLL);
  }

  private hasSuccessor(): boolean {
    try {
      return readFileSync(this.supervisor!.file, "utf8") !== this.supervisor!.id;
    } catch {
      return false;
    }
  }

  private async drain(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    await this.gateway?.drain();
    process.exit(0);
  }
}

function isInUse(error: unknown): boolean {
  const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
  return cause?.code === "EADDRINUSE";
}

new Worker().run();
