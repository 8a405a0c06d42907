import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import type { GatewaySettings, ListenAddress } from "../config/gateway-settings.ts";
import type { RevisedDocument } from "../gateway/app-table.ts";
import type { CheckFinding, HealthFinding, OutOfService, ServerStatus } from "../gateway/server-status.ts";
import type { AppCounts, AppTotals } from "../gateway/group-totals.ts";
import type { AppTally } from "../fleet/roster.ts";
import type { Processes } from "../gateway/process-report.ts";
import type { TlsMaterial } from "../gateway/tls-material.ts";
import type { DataPlane } from "./data-plane.ts";
import type { FromWorker, SupervisorMark, ToWorker } from "./messages.ts";
import { FoldedProcesses } from "./fold-processes.ts";
import { FoldedTallies } from "./fold-tallies.ts";
import { FoldedTotals } from "./fold-totals.ts";
import { KnownFindings } from "./known-findings.ts";
import { mergeServerStatus } from "./merge-server-status.ts";

/** How long a question waits for a worker; one that is slower is reported. */
const ANSWER_TIME = 5000;
const MAX_BACKOFF = 5000;
/** A worker that lived this long and dies is replaced at once. */
const STEADY_TIME = 5000;

/**
 * How V8 collects garbage in workers, in MiB; `node --v8-options` has the names. A connection outlives the young
 * generation, whose collection copies what lives: a small one makes many short pauses of few long ones. What dies old, as
 * connections do, fills the small heap that V8 begins with once a second; each time it is searched as a whole. Both are pauses of 5 to
 * 15 ms for everybody (docs/performance.md). Arguments of the supervisor's own node come later, and win.
 */
const HEAP = ["--max-semi-space-size=2", "--initial-old-space-size=64"];

type Question = { readonly id: number } & Extract<ToWorker, { id: number }>;
type Answer = Extract<FromWorker, { id: number }>;

interface WorkerState {
  readonly worker: Worker;
  readonly startedAt: number;
  /** It has its apps and settings: from here on it is told of changes. */
  briefed: boolean;
  ready: boolean;
  leaving: boolean;
  readonly open: Map<number, (answer: Answer | undefined) => void>;
}

/**
 * Worker processes that share the listening sockets. Each accepts by itself: no request waits for the supervisor, and
 * traffic goes on when the supervisor does not. (Node's default, where the primary accepts and hands connections
 * round, would make the supervisor part of the request path.)
 */
export class WorkerPlane implements DataPlane {
  private readonly log: Pick<Logger, "info" | "warn" | "error">;
  private readonly mark: SupervisorMark;
  private readonly onFinding: (finding: HealthFinding) => void;
  private readonly states = new Map<number, WorkerState>();
  private readonly apps = new Map<string, RevisedDocument>();
  /** Servers that are out, by traffic or by check: a new worker has to know. */
  private readonly findings = new KnownFindings();
  private readonly folded = new FoldedTotals();
  private readonly tallies = new FoldedTallies();
  private readonly reports = new FoldedProcesses();
  /** Apps whose numbers changed since they were last asked for. */
  private readonly counted = new Set<string>();
  private settings: GatewaySettings;
  private tls: TlsMaterial;
  private expected: number;
  private nextId = 1;
  private stopping = false;
  private earlyDeaths = 0;
  private addresses: readonly ListenAddress[] = [];

  /** `onFinding`: told of what any worker finds out about servers, and of what is adopted. */
  constructor(
    settings: GatewaySettings,
    tls: TlsMaterial,
    workers: number,
    mark: SupervisorMark,
    log: Pick<Logger, "info" | "warn" | "error">,
    onFinding: (finding: HealthFinding) => void,
  ) {
    this.settings = settings;
    this.tls = tls;
    this.expected = workers;
    this.mark = mark;
    this.onFinding = onFinding;
    this.log = log;
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({
      exec: fileURLToPath(new URL("./worker-main.js", import.meta.url)),
      args: [],
      execArgv: [...HEAP, ...process.execArgv],
    });
  }

  get bound(): readonly ListenAddress[] {
    return this.addresses;
  }

  get workers(): { running: number; expected: number } {
    return { running: this.active().length, expected: this.expected };
  }

  async start(apps: readonly RevisedDocument[]): Promise<readonly ListenAddress[]> {
    for (const app of apps) this.note(app);
    // One first: if the address cannot be had there is one reason to tell, not one a worker.
    this.addresses = await this.launch();
    await Promise.all(Array.from({ length: this.expected - 1 }, () => this.launch()));
    return this.addresses;
  }

  async putApp(app: RevisedDocument): Promise<void> {
    this.note(app);
    await this.tellAll((id) => ({ type: "putApp", id, app }));
  }

  async deleteApp(name: string): Promise<void> {
    this.apps.delete(name);
    await this.tellAll((id) => ({ type: "deleteApp", id, name }));
    this.folded.forget(name);
    this.tallies.forget(name);
    this.findings.forget(name);
  }

  async reconfigure(settings: GatewaySettings, workers: number, tls: TlsMaterial): Promise<void> {
    if (workers === 0) throw new Error("gateway.workers cannot change to 0 without a restart");
    const [first, ...others] = this.active();
    if (first !== undefined) {
      // One worker tries: it has all addresses, or none, and its refusal leaves everything as it was.
      const answer = await this.ask(first, (id) => ({ type: "reconfigure", id, settings, tls }));
      if (answer?.type === "refused") throw new Error(answer.reason);
      if (answer?.type === "reconfigured") this.addresses = answer.bound;
    }
    this.settings = settings;
    this.tls = tls;
    for (const state of others) {
      const answer = await this.ask(state, (id) => ({ type: "reconfigure", id, settings, tls }));
      if (answer?.type !== "reconfigured") {
        this.log.warn(
          { worker: state.worker.process.pid },
          "a worker did not take the new settings: replacing it",
        );
        this.retire(state);
        await this.launch();
      }
    }
    this.expected = workers;
    const active = this.active();
    for (let i = active.length; i < workers; i++) await this.launch();
    for (const state of active.slice(workers)) this.retire(state);
  }

  async renewTls(tls: TlsMaterial): Promise<void> {
    await this.reconfigure(this.settings, this.expected, tls);
  }

  adopt(finding: CheckFinding): void {
    this.findings.take(finding);
    this.onFinding(finding);
    for (const state of this.briefed()) this.send(state, { type: "finding", finding });
  }

  async servers(app: string): Promise<readonly ServerStatus[]> {
    const answers = await Promise.all(
      this.active().map((state) => this.ask(state, (id) => ({ type: "servers", id, app }))),
    );
    return mergeServerStatus(answers.map((answer) => (answer?.type === "servers" ? answer.servers : [])));
  }

  async count(): Promise<readonly string[]> {
    const ready = [...this.states.values()].filter((state) => state.ready);
    await Promise.all(ready.map((state) => this.ask(state, (id) => ({ type: "news", id }))));
    const changed = new Set([...this.counted, ...this.tallies.news(Date.now())]);
    this.counted.clear();
    return [...changed];
  }

  tally(app: string): AppTally | undefined {
    return this.tallies.tell(app, Date.now());
  }

  totals(app: string): AppTotals {
    return this.folded.of(app);
  }

  counts(app: string): AppCounts {
    return this.folded.counts(app);
  }

  outOfService(app: string): readonly OutOfService[] {
    return this.findings.of(app);
  }

  processes(): Processes {
    return this.reports.all();
  }

  async drain(): Promise<void> {
    this.stopping = true;
    const exits = [...this.states.values()].map(
      (state) => new Promise<void>((resolve) => state.worker.once("exit", () => resolve())),
    );
    for (const state of this.states.values()) this.send(state, { type: "drain" });
    await Promise.all(exits);
  }

  destroy(): void {
    this.stopping = true;
    for (const state of this.states.values()) state.worker.process.kill("SIGKILL");
  }

  private note(app: RevisedDocument): void {
    this.apps.set(app.name, app);
    this.tallies.follow(app.document);
  }

  private briefed(): WorkerState[] {
    return [...this.states.values()].filter((state) => state.briefed && !state.leaving);
  }

  private active(): WorkerState[] {
    return [...this.states.values()].filter((state) => state.ready && !state.leaving);
  }

  /** Starts one worker; resolves when it takes traffic. */
  private launch(): Promise<readonly ListenAddress[]> {
    if (this.states.size === 0) this.pinPorts();
    return new Promise((resolve, reject) => {
      const worker = cluster.fork();
      const state: WorkerState = {
        worker,
        startedAt: performance.now(),
        briefed: false,
        ready: false,
        leaving: false,
        open: new Map(),
      };
      this.states.set(worker.id, state);
      this.reports.begin(worker.id);
      worker.on("message", (message: FromWorker) => {
        if (message.type === "up") this.brief(state);
        else if (message.type === "ready") {
          state.ready = true;
          resolve(message.bound);
        } else if (message.type === "failed") {
          state.leaving = true;
          reject(new Error(message.reason));
          worker.kill("SIGKILL");
        } else this.onMessage(state, message);
      });
      worker.on("exit", (code, signal) => {
        this.onExit(state, signal ?? `code ${code}`);
        reject(new Error(`a worker ended while it started (${signal ?? `code ${code}`})`));
      });
      worker.on("error", (error) => this.log.error({ worker: worker.process.pid }, error.message));
    });
  }

  private brief(state: WorkerState): void {
    this.send(state, {
      type: "start",
      settings: this.settings,
      tls: this.tls,
      apps: [...this.apps.values()],
      supervisor: this.mark,
    });
    state.briefed = true;
    for (const finding of this.findings.all()) this.send(state, { type: "finding", finding });
  }

  /** No worker is left to hold the sockets: a port that was left to the system has to be asked for by its number. */
  private pinPorts(): void {
    const listen = this.settings.listen.map((settings, index) => {
      const { address } = settings;
      const isOpen = address.kind === "tcp" && address.port === 0;
      return isOpen ? { ...settings, address: this.addresses[index] ?? address } : settings;
    });
    this.settings = { ...this.settings, listen };
  }

  private onMessage(
    state: WorkerState,
    message: Exclude<FromWorker, { type: "up" | "ready" | "failed" }>,
  ): void {
    switch (message.type) {
      case "finding":
        this.findings.take(message.finding);
        this.onFinding(message.finding);
        for (const other of this.briefed()) {
          if (other !== state) this.send(other, { type: "finding", finding: message.finding });
        }
        break;
      case "error":
        this.log.error({ worker: state.worker.process.pid }, message.message);
        break;
      case "done":
      case "reconfigured":
      case "refused":
      case "servers":
      case "news": {
        // Each tells only what changed since the last one: one that comes too late counts as well.
        if (message.type === "news") this.takeNews(state, message);
        const settle = state.open.get(message.id);
        state.open.delete(message.id);
        settle?.(message);
        break;
      }
    }
  }

  private takeNews(state: WorkerState, { process, apps, tallies }: Extract<Answer, { type: "news" }>): void {
    for (const [app, report] of tallies) this.tallies.take(app, report);
    if (!this.states.has(state.worker.id)) return;
    this.reports.take(state.worker.id, process);
    this.folded.take(state.worker.id, new Map(apps));
    for (const [app] of apps) this.counted.add(app);
  }

  private onExit(state: WorkerState, how: string): void {
    this.states.delete(state.worker.id);
    for (const settle of state.open.values()) settle(undefined);
    for (const app of this.folded.end(state.worker.id)) this.counted.add(app);
    this.reports.end(state.worker.id);
    if (this.stopping || state.leaving) return;
    const steady = performance.now() - state.startedAt > STEADY_TIME;
    this.earlyDeaths = steady ? 0 : this.earlyDeaths + 1;
    const wait = this.earlyDeaths <= 1 ? 0 : Math.min(MAX_BACKOFF, 100 * 2 ** this.earlyDeaths);
    this.log.warn({ worker: state.worker.process.pid, how, restartIn: wait }, "a worker ended: replacing it");
    // Failed to start at all: the caller of `launch` is told, and decides.
    if (!state.ready && this.active().length === 0 && this.addresses.length === 0) return;
    setTimeout(() => this.replace(), wait);
  }

  private replace(): void {
    if (this.stopping || this.states.size >= this.expected) return;
    this.launch().catch((error: unknown) => {
      this.log.error(`a worker could not start: ${(error as Error).message}`);
    });
  }

  private retire(state: WorkerState): void {
    state.leaving = true;
    this.send(state, { type: "drain" });
  }

  /**
   * Every worker that was briefed (the others will be, with the change); resolves when each has answered or is gone. One
   * that is slow is waited for, and reported: it may still send requests where they went before.
   */
  private async tellAll(question: (id: number) => Question): Promise<void> {
    await Promise.all(
      this.briefed().map(async (state) => {
        const answer = await this.ask(state, question, "however long");
        if (answer?.type === "refused") this.log.error({ worker: state.worker.process.pid }, answer.reason);
      }),
    );
  }

  private ask(
    state: WorkerState,
    question: (id: number) => Question,
    wait: "a while" | "however long" = "a while",
  ): Promise<Answer | undefined> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.log.warn(
          { worker: state.worker.process.pid },
          `a worker has not answered for ${ANSWER_TIME} ms`,
        );
        if (wait === "however long") return;
        state.open.delete(id);
        resolve(undefined);
      }, ANSWER_TIME);
      state.open.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.send(state, question(id));
    });
  }

  private send(state: WorkerState, message: ToWorker): void {
    if (!state.worker.isConnected()) return;
    // An error here means that the worker is gone: its exit settles what is open.
    state.worker.process.send(message, undefined, undefined, () => {});
  }
}
