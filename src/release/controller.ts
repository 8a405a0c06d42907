import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { AppDocument } from "../config/app-document.ts";
import { type App, type Group } from "../core/app.ts";
import { compileApp } from "../config/compile-app.ts";
import { formatProblems } from "../config/format-problems.ts";
import { elapsed, timeLimit } from "../core/release-enter.ts";
import { outstanding, type ReleaseEffect } from "../core/release-effects.ts";
import type { CheckedServer, Facts, ReleaseEvent } from "../core/release-event.ts";
import type { ReleaseState } from "../core/release-state.ts";
import { transition } from "../core/release.ts";
import type { AppStore } from "../directory/app-store.ts";
import { DirectoryUnavailable, type StoredApp } from "../directory/directory.ts";
import type { Log } from "../directory/log.ts";
import type { HeldLock, Locks } from "../directory/locks.ts";
import { convergenceOf } from "../fleet/convergence.ts";
import { occupiedBy, occupiedText } from "../fleet/idleness.ts";
import type { Roster } from "../fleet/roster.ts";
import { hearOf } from "../fleet/traffic.ts";
import type { HookRun, HookRunner, HookSettings } from "./hook-runner.ts";
import { Jury, type JuryOptions } from "./jury.ts";
import { withState } from "./release-changes.ts";
import { quarantine } from "./route-document.ts";
import { isRunning, readRecord, runningRelease, type StoredFreeze } from "./release-record.ts";

/** One controller for all releases of a directory. */
const LOCK = "releases";
const LEASE = 10_000;
const RENEW_EVERY = 3000;
/** How often what is waited for is looked at, in ms; a change of an app is looked at at once. */
const TURN = 200;
const IDLE_TURN = 1000;
/**
 * When words alone are stored anew, in ms: who is busy, what fails. Each change is a revision that every gateway has to
 * apply before anything else counts, so that words which tell of the last one could keep a drain from ever ending: within
 * one step the wait doubles.
 */
const FIRST_WORDS = 1000;
const LONGEST_WORDS = 8000;
/** How often it is stored what the evidence says while nothing follows from it, in ms; `GET /verdict` has the newest. */
const EVIDENCE_EVERY = 60_000;
/** How long a gateway that stops waits for its hooks, in ms; then they are ended. */
const HOOK_PATIENCE = 30_000;

/** Checks of a group under way. */
export interface Probing {
  stop(): void;
}

export interface ControllerOptions {
  readonly store: AppStore;
  readonly locks: Locks;
  readonly roster: Roster;
  /** This gateway's name. Another may have it too: the holder of the lock is told from others by more. */
  readonly gateway: string;
  readonly hooks: () => readonly HookSettings[];
  readonly runner: HookRunner;
  /** Begins to check every server of the group; each round is told. */
  readonly probe: (app: App, group: Group, onRound: (servers: readonly CheckedServer[]) => void) => Probing;
  readonly facts: (document: AppDocument, freeze: StoredFreeze | undefined) => Promise<Facts>;
  /** Reads signals that are counted elsewhere. */
  readonly outside: JuryOptions["outside"];
  readonly log: Log;
  /** Ms since the epoch. */
  readonly now: () => number;
}

interface Probed {
  readonly probing: Probing;
  servers: readonly CheckedServer[];
}

/**
 * Carries out what releases wait for, and tells them what it found: reads the stored state, looks at what is outstanding, and
 * stores the next one before anything of it takes effect. It remembers nothing that counts: another gateway's controller
 * goes on from the stored state when this one is gone.
 */
export class ReleaseController {
  readonly #options: ControllerOptions;
  readonly #holder: string;
  #held: HeldLock | undefined;
  #renewedAt = 0;
  readonly #runs = new Map<string, HookRun>();
  /** How runs of hooks ended that the state has not been told of. */
  readonly #ended = new Map<string, Omit<Extract<ReleaseEvent, { type: "hookEnded" }>, "facts">>();
  readonly #probes = new Map<string, Probed>();
  readonly #jury: Jury;
  /** When it was last stored what the evidence says, by app and step. */
  readonly #evidence = new Map<string, { readonly step: number; readonly at: number }>();
  /** When words alone were stored last, or first withheld, by app. */
  readonly #words = new Map<string, { readonly step: string; readonly at: number; readonly wait: number }>();
  /** Why releases could not be gone on with at the last turn, by app: said once. */
  readonly #stuck = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #turning: Promise<void> | undefined;
  #again = false;
  #stopping = false;
  #stopped = false;
  readonly #unsubscribe: () => void;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#holder = `${options.gateway} ${randomUUID()}`;
    this.#jury = new Jury(options);
    this.#unsubscribe = options.store.subscribe(() => this.wake());
    this.#later(0);
  }

  /** Something has changed: looks at it now, or after the turn under way. */
  wake(): void {
    if (this.#turning !== undefined) this.#again = true;
    else this.#later(0);
  }

  /** Begins no hook any more, waits for those under way, gives the lock back, and does nothing more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#unsubscribe();
    const patience = setTimeout(() => this.#stopRuns(), HOOK_PATIENCE);
    // The turn under way may be about to begin one.
    await this.#turning;
    while (this.#runs.size > 0 && this.#held !== undefined) {
      await Promise.all(Array.from(this.#runs.values(), (run) => run.ended));
    }
    clearTimeout(patience);
    // One that is under way may know nothing of how they ended.
    await this.#turning;
    if (this.#ended.size > 0 && this.#held !== undefined) await this.#turn();
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turning;
    this.#stopRuns();
    this.#forgetProbes([]);
    // Out of reach: the lease ends by itself.
    if (this.#held !== undefined) await this.#options.locks.release(this.#held).catch(() => undefined);
  }

  #stopRuns(): void {
    for (const run of this.#runs.values()) run.stop();
  }

  #later(wait: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#turn(), wait).unref();
  }

  async #turn(): Promise<void> {
    if (this.#turning !== undefined) {
      await this.#turning;
      return;
    }
    this.#again = false;
    let busy = false;
    this.#turning = this.#drive().then(
      (running) => {
        busy = running;
      },
      (error: unknown) => {
        busy = true;
        if (!(error instanceof DirectoryUnavailable)) {
          this.#options.log.error(
            { err: error },
            "releases could not be gone on with; they stay where they are",
          );
        }
      },
    );
    await this.#turning;
    this.#turning = undefined;
    this.#later(this.#again ? 0 : busy ? TURN : IDLE_TURN);
  }

  /** True: a release runs. */
  async #drive(): Promise<boolean> {
    const running = this.#options.store.list().filter(({ releases }) => isRunning(releases));
    this.#forgetProbes(running);
    this.#jury.retain(running.map(({ name }) => name));
    if (running.length === 0) {
      await this.#release();
      return false;
    }
    if (!(await this.#hold())) {
      this.#forgetProbes([]);
      this.#jury.retain([]);
      return true;
    }
    for (const { name } of running) await this.#driveAlone(name);
    return true;
  }

  /** What is wrong with one release holds up no other. Throws `DirectoryUnavailable`, which holds for all of them. */
  async #driveAlone(app: string): Promise<void> {
    try {
      await this.#driveOne(app);
      this.#stuck.delete(app);
    } catch (error) {
      if (error instanceof DirectoryUnavailable) throw error;
      const reason = String(error);
      if (this.#stuck.get(app) === reason) return;
      this.#stuck.set(app, reason);
      this.#options.log.error(
        { err: error, app },
        `the release of ${app} could not be gone on with, it stays where it is: ${reason}`,
      );
    }
  }

  async #hold(): Promise<boolean> {
    const { locks } = this.#options;
    const now = performance.now();
    if (this.#held !== undefined && now - this.#renewedAt < RENEW_EVERY) return true;
    if (this.#held !== undefined) {
      this.#renewedAt = now;
      if (await locks.renew(this.#held, LEASE)) return true;
      this.#held = undefined;
    }
    const answer = await locks.acquire(LOCK, this.#holder, LEASE);
    if (answer.kind === "taken") return false;
    this.#held = answer.lock;
    this.#renewedAt = now;
    this.#options.log.info("this gateway runs the releases");
    return true;
  }

  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) await this.#options.locks.release(held);
  }

  async #driveOne(name: string): Promise<void> {
    const { store } = this.#options;
    const app = store.get(name);
    const state = app === undefined ? undefined : runningRelease(app.releases);
    if (app === undefined || state === undefined) return;
    const facts = await this.#options.facts(app.document, readRecord(app.releases).freeze);
    const events: ReleaseEvent[] = [];
    const effects = outstanding(state);
    for (const effect of effects) events.push(...(await this.#answer(app, state, effect, facts)));
    if (!effects.some(({ kind }) => kind === "verdict")) await this.#jury.hear(app, state, undefined);
    const slower = await this.#jury.slower(app, state);
    if (slower !== undefined) events.push({ type: "slower", slower, facts });
    await this.#advance(name, state.id, [...events, { type: "tick", facts }]);
  }

  /** What can be told of an effect now. */
  async #answer(
    app: StoredApp,
    state: ReleaseState,
    effect: ReleaseEffect,
    facts: Facts,
  ): Promise<readonly ReleaseEvent[]> {
    switch (effect.kind) {
      case "converge": {
        const { sightings, records } = await hearOf(this.#options.roster, app.name);
        const { converged } = convergenceOf(app.revision, app.revision, sightings, records);
        return converged ? [{ type: "converged", change: effect.change, facts }] : [];
      }
      case "drain": {
        const { sightings, records } = await hearOf(this.#options.roster, app.name);
        const occupied = occupiedBy(effect.group, app.revision, sightings, records);
        if (occupied === undefined) return [];
        const busy = occupied.map((one) => occupiedText([one]));
        return [{ type: "drain", step: effect.step, idle: busy.length === 0, busy, facts }];
      }
      case "hook":
        return this.#answerHook(effect, facts);
      case "stopHook":
        this.#runs.get(effect.run)?.stop();
        return this.#endOf(effect.run, facts);
      case "health": {
        const servers = this.#probed(app, state, effect);
        return [{ type: "health", step: effect.step, servers, facts }];
      }
      case "verdict":
        return await this.#judge(app, state, effect, facts);
      // The routing is part of the stored document, the weight too.
      case "route":
      case "weight":
        return [];
    }
  }

  async #judge(
    app: StoredApp,
    state: ReleaseState,
    effect: Extract<ReleaseEffect, { kind: "verdict" }>,
    facts: Facts,
  ): Promise<readonly ReleaseEvent[]> {
    const report = await this.#jury.hear(app, state, effect);
    if (report === undefined) return [];
    const { answer, badServer, words, step } = report;
    const reason = words.join(" ");
    if (answer === "worse" && badServer !== null) {
      const without = await this.#options.facts(
        quarantine(app.document, [badServer]),
        readRecord(app.releases).freeze,
      );
      return [{ type: "badServer", step, server: badServer, reason, facts: without }];
    }
    if (answer === "worse") {
      const [, ...evidence] = words;
      // Where groups serve together, all of them run the new version.
      const worse = `${effect.group} is worse than the groups beside it that run the same version. ${evidence.join(" ")}`;
      const isAlike = state.stage.kind === "merging";
      return [{ type: "verdict", step, verdict: "worse", reason: isAlike ? worse : reason, facts }];
    }
    if (state.stage.kind !== "shifting" || state.stage.proven) return [];
    if (answer === "notEnough" && !this.#isTimeForEvidence(app.name, state)) return [];
    return [{ type: "verdict", step, verdict: answer === "notWorse" ? "notWorse" : "none", reason, facts }];
  }

  /** What is only told is stored now and then, and before the step's time is over: each time is a revision more. */
  #isTimeForEvidence(app: string, state: ReleaseState): boolean {
    const now = this.#options.now();
    const last = this.#evidence.get(app);
    const limit = timeLimit(state);
    const isLate = limit !== null && elapsed(state, now) + 2 * state.plan.verdict.window >= limit;
    if (!isLate && last?.step === state.step && now - last.at < EVIDENCE_EVERY) return false;
    this.#evidence.set(app, { step: state.step, at: now });
    return true;
  }

  #answerHook(effect: Extract<ReleaseEffect, { kind: "hook" }>, facts: Facts): readonly ReleaseEvent[] {
    const { run } = effect;
    if (!effect.begun) return this.#stopping ? [] : [{ type: "hookBegun", run, facts }];
    return this.#endOf(run, facts);
  }

  /** How a run ended, as far as it has: one that nobody here knows was begun by a gateway that is gone. */
  #endOf(run: string, facts: Facts): readonly ReleaseEvent[] {
    if (this.#runs.has(run)) return [];
    const ended = this.#ended.get(run);
    if (ended !== undefined) return [{ ...ended, facts }];
    const detail = "the gateway that ran it is gone; nobody saw how it ended";
    return [{ type: "hookEnded", run, outcome: "unknown", detail, facts }];
  }

  /** Stores what the events lead to, and then carries out what may be done only once. */
  async #advance(name: string, release: string, events: readonly ReleaseEvent[]): Promise<void> {
    const { store, now } = this.#options;
    let after: ReleaseState | undefined;
    let asked: readonly string[] = [];
    const result = await store.advance(
      name,
      "release",
      (standing) => {
        const before = runningRelease(standing.releases);
        after = undefined;
        if (before?.id !== release) return undefined;
        let state = before;
        const begun: string[] = [];
        for (const event of events) {
          const next = transition(state, event, now());
          if (next.kind === "refused") continue;
          if (event.type === "hookBegun" && next.state !== state) begun.push(event.run);
          ({ state } = next);
        }
        if (state === before || this.#waitsWithWords(name, before, state)) return undefined;
        after = state;
        asked = begun;
        return withState(standing, state);
      },
      this.#held,
    );
    if (result.kind === "fenced") this.#held = undefined;
    if (result.kind === "unavailable") throw new DirectoryUnavailable(result.reason);
    if (result.kind === "invalid") throw new Error(formatProblems(result.problems).join("; "));
    if (result.kind !== "stored" || after === undefined) return;
    for (const event of events) if (event.type === "hookEnded") this.#ended.delete(event.run);
    for (const run of asked) this.#run(result.app, after, run);
    this.#again = true;
  }

  /** Nothing but words has changed, and it is too early to store them anew. */
  #waitsWithWords(name: string, before: ReleaseState, after: ReleaseState): boolean {
    if (!isDeepStrictEqual(withoutWords(before), withoutWords(after))) return false;
    const now = performance.now();
    const step = `${after.id} ${after.step}`;
    const last = this.#words.get(name);
    if (last?.step !== step) {
      this.#words.set(name, { step, at: now, wait: FIRST_WORDS });
      return true;
    }
    if (now - last.at < last.wait) return true;
    this.#words.set(name, { step, at: now, wait: Math.min(last.wait * 2, LONGEST_WORDS) });
    return false;
  }

  /** Only after the state that says that it is begun was stored. */
  #run(app: StoredApp, state: ReleaseState, run: string): void {
    const { hooks, runner, log } = this.#options;
    const effect = outstanding(state).find((one) => one.kind === "hook" && one.run === run);
    if (effect?.kind !== "hook") return;
    const hook = hooks().find(({ name }) => name === effect.name);
    const end = (outcome: "done" | "failed", detail: string): void => {
      this.#runs.delete(run);
      this.#ended.set(run, { type: "hookEnded", run, outcome, detail });
      log.info({ app: app.name, run, outcome }, `hook ${effect.name}: ${detail}`);
      this.wake();
    };
    if (hook === undefined) {
      end("failed", `halftone.yaml of this gateway has no hook ${effect.name}`);
      return;
    }
    const group = compileApp(app.document, app.revision).groups.find(({ name }) => name === effect.group);
    const running = runner.run(
      {
        hook,
        kind: effect.hook,
        run,
        release: state.id,
        app: app.name,
        version: state.version,
        group: effect.group,
        servers: group?.servers.map(({ id }) => id) ?? [],
      },
      (line) => log.info({ app: app.name, run, hook: effect.name }, line),
    );
    this.#runs.set(run, running);
    void running.ended.then(({ outcome, detail }) => end(outcome, detail));
  }

  #probed(
    stored: StoredApp,
    state: ReleaseState,
    { step, group }: Extract<ReleaseEffect, { kind: "health" }>,
  ): readonly CheckedServer[] {
    const { document, revision } = stored;
    const key = probeKey(stored, state, step);
    const known = this.#probes.get(key);
    if (known !== undefined) return known.servers;
    const app = compileApp(document, revision);
    const whole = app.groups.find((one) => one.name === group);
    if (whole === undefined) return [];
    // Who is in quarantine serves nobody, however well: nothing waits for that.
    const quarantined = new Set(document.quarantine);
    const checked = { ...whole, servers: whole.servers.filter(({ id }) => !quarantined.has(id)) };
    const servers = checked.servers.map((server) => ({ id: server.id, passed: 0 }));
    const probed: Probed = {
      servers,
      probing: this.#options.probe(app, checked, (round) => {
        probed.servers = round;
        this.wake();
      }),
    };
    this.#probes.set(key, probed);
    return servers;
  }

  #forgetProbes(running: readonly StoredApp[]): void {
    const wanted = new Set<string>();
    for (const app of running) {
      const state = runningRelease(app.releases);
      if (state === undefined) continue;
      for (const effect of outstanding(state)) {
        if (effect.kind === "health") wanted.add(probeKey(app, state, effect.step));
      }
    }
    for (const [key, { probing }] of this.#probes) {
      if (wanted.has(key)) continue;
      probing.stop();
      this.#probes.delete(key);
    }
  }
}

/** Who goes into quarantine, or is put back, while the group is checked makes it another check. */
function probeKey({ name, document }: StoredApp, { id }: ReleaseState, step: number): string {
  return [name, id, step, ...(document.quarantine ?? [])].join(" ");
}

/** All that anything follows from. */
function withoutWords({ stage, trouble, blocked, ...rest }: ReleaseState): unknown {
  return {
    ...rest,
    stage: { ...stage, ...("busy" in stage && { busy: [] }), ...("failing" in stage && { failing: [] }) },
    trouble: trouble?.code,
    blocked: blocked?.code,
  };
}
