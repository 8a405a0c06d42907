import { randomBytes } from "node:crypto";
import type { AppDocument } from "../config/app-document.ts";
import { formatProblems } from "../config/format-problems.ts";
import { compilePlan, parseSteps } from "../config/release-schema.ts";
import type { Parsed } from "../config/problem.ts";
import { begin, type Beginning } from "../core/release-begin.ts";
import type { SignalSource } from "../config/signal-settings.ts";
import type { VerdictPlan } from "../core/verdict/verdict-settings.ts";
import type { Facts } from "../core/release-event.ts";
import type { ReleasePlan } from "../core/release-plan.ts";
import type { ReleaseHook, ReleaseState } from "../core/release-state.ts";
import { describe } from "../core/release-view.ts";
import { shortened } from "../core/release-words.ts";
import type { ReleaseView } from "../core/release-view.ts";
import { transition } from "../core/release.ts";
import type { AppStore, StoreResult } from "../directory/app-store.ts";
import { DirectoryUnavailable, type StoredApp } from "../directory/directory.ts";
import { harmlessText } from "./harmless-text.ts";
import { withState } from "./release-changes.ts";
import {
  pastOf,
  type PastRelease,
  readRecord,
  type StoredFreeze,
  UnreadableRecord,
} from "./release-record.ts";
import type {
  CommandRequest,
  ReleaseAnswer,
  ReleasePreview,
  ReleaseRefusal,
  ReleaseService,
  StartRequest,
} from "./release-service.ts";

export interface StoredReleasesOptions {
  readonly store: AppStore;
  readonly facts: (document: AppDocument, freeze: StoredFreeze | undefined) => Promise<Facts>;
  /** The hooks of the configuration in force. */
  readonly hooks: () => readonly ReleaseHook[];
  /** The signals from elsewhere, of the configuration in force. */
  readonly signals: () => readonly Pick<SignalSource, "name" | "what">[];
  /** Ms since the epoch. */
  readonly now: () => number;
}

/**
 * Releases as they are kept beside the documents. A command may come to any gateway: it is a change of the stored state like
 * those of the controller, and whoever was faster counts.
 */
export class StoredReleases implements ReleaseService {
  readonly #options: StoredReleasesOptions;

  constructor(options: StoredReleasesOptions) {
    this.#options = options;
  }

  async start(name: string, request: StartRequest, by: string): Promise<ReleaseAnswer> {
    return await this.#advance(name, by, (app, facts) => {
      const { begun } = this.#beginningOf(app, request, facts, by);
      return begun.kind === "begun" ? { state: begun.state } : { refusals: begun.refusals };
    });
  }

  async preview(name: string, request: StartRequest): Promise<ReleasePreview> {
    const { store, facts: factsOf, hooks } = this.#options;
    const app = store.get(name);
    if (app === undefined) return { kind: "missing", what: "app" };
    try {
      const facts = await factsOf(app.document, this.freezeOf(name));
      const { plan, begun } = this.#beginningOf(app, request, facts, "");
      return {
        kind: "preview",
        plan,
        refusals: begun.kind === "begun" ? [] : begun.refusals.map(({ code, reason }) => ({ code, reason })),
        hooks: hooks().map(({ name }) => name),
      };
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      return { kind: "unavailable", reason: error.message };
    }
  }

  #beginningOf(
    { name, document, releases }: StoredApp,
    request: StartRequest,
    facts: Facts,
    by: string,
  ): { readonly plan: ReleasePlan | undefined; readonly begun: Beginning } {
    const { hooks, signals, now } = this.#options;
    const planned = planOf(document, request.steps, signals());
    if (!planned.ok) {
      const reason = `${formatProblems(planned.problems).join("; ")}; nothing was begun`;
      return { plan: undefined, begun: { kind: "refused", refusals: [{ code: "badPlan", reason }] } };
    }
    const { update = document.release?.update, restore = document.release?.restore } = request;
    const begun = begin(
      {
        id: newId(now()),
        app: name,
        version: request.version,
        by,
        appGroups: Object.keys(document.groups),
        deploy: document.deploy ?? 0,
        groups: request.groups,
        plan: planned.value,
        update,
        restore,
        hooks: hooks(),
        signals: signals().map(({ name }) => name),
        last: readRecord(releases).current,
        facts,
      },
      now(),
    );
    return { plan: planned.value, begun };
  }

  async command(name: string, request: CommandRequest, by: string): Promise<ReleaseAnswer> {
    const { now } = this.#options;
    const { reason, ...rest } = request;
    const said = { ...rest, ...(reason !== undefined && { reason: harmlessText(reason) }) };
    return await this.#advance(name, by, ({ releases }, facts) => {
      const { current } = readRecord(releases);
      if (current === undefined) return { refusals: [] };
      const next = transition(current, { ...said, by, facts }, now());
      return next.kind === "next" ? { state: next.state } : { refusals: [next] };
    });
  }

  view(name: string): ReleaseView | undefined {
    const { store, now } = this.#options;
    const { current } = readRecord(store.get(name)?.releases);
    return current === undefined ? undefined : describe(current, now());
  }

  history(name: string): readonly PastRelease[] {
    const { current, past } = readRecord(this.#options.store.get(name)?.releases);
    return current === undefined ? past : [pastOf(current), ...past];
  }

  freezeOf(name: string): StoredFreeze | undefined {
    const { store, now } = this.#options;
    const { freeze } = readRecord(store.get(name)?.releases);
    return freeze === undefined || (freeze.until !== null && freeze.until <= now()) ? undefined : freeze;
  }

  async freeze(
    name: string,
    freeze: { readonly until: number | null; readonly reason: string } | undefined,
    by: string,
  ): ReturnType<ReleaseService["freeze"]> {
    const { store, now } = this.#options;
    const reason = shortened(harmlessText(freeze?.reason ?? ""));
    const result = await store.advance(name, by, ({ document, releases }) => {
      const { freeze: _, ...record } = readRecord(releases);
      const what = freeze === undefined ? "unfreeze" : `freeze: ${reason}`;
      const kept =
        freeze === undefined ? record : { ...record, freeze: { ...freeze, reason, by, since: now() } };
      return { document, releases: kept, what };
    });
    if (result.kind === "stored" || result.kind === "unchanged") return { kind: "done" };
    if (result.kind === "missing") return { kind: "missing" };
    return { kind: "unavailable", reason: reasonOf(result) };
  }

  async #advance(
    name: string,
    by: string,
    decide: (
      app: StoredApp,
      facts: Facts,
    ) => { readonly state: ReleaseState } | { readonly refusals: readonly ReleaseRefusal[] },
  ): Promise<ReleaseAnswer> {
    const { store, facts: factsOf } = this.#options;
    const app = store.get(name);
    if (app === undefined) return { kind: "missing", what: "app" };
    try {
      const facts = await factsOf(app.document, this.freezeOf(name));
      let refusals: readonly ReleaseRefusal[] | undefined;
      const result = await store.advance(name, by, (standing) => {
        const decided = decide(standing, facts);
        refusals = "refusals" in decided ? decided.refusals : undefined;
        return "state" in decided ? withState(standing, decided.state) : undefined;
      });
      if (refusals !== undefined && refusals.length > 0) {
        return { kind: "refused", refusals: refusals.map(({ code, reason }) => ({ code, reason })) };
      }
      if (refusals !== undefined) return { kind: "missing", what: "release" };
      if (result.kind === "missing") return { kind: "missing", what: "app" };
      const view = this.view(name);
      if ((result.kind === "stored" || result.kind === "unchanged") && view !== undefined) {
        return { kind: "done", view };
      }
      return { kind: "unavailable", reason: reasonOf(result) };
    } catch (error) {
      // The roster is asked for facts before the store is.
      if (error instanceof DirectoryUnavailable) return { kind: "unavailable", reason: error.message };
      if (!(error instanceof UnreadableRecord)) throw error;
      return { kind: "refused", refusals: [{ code: "unreadable", reason: error.message }] };
    }
  }
}

/** What the request says, then what the document does, then defaults. */
function planOf(
  { release }: AppDocument,
  written: unknown,
  signals: readonly Pick<SignalSource, "name" | "what">[],
): Parsed<ReleasePlan> {
  const steps = written === undefined ? undefined : parseSteps(written);
  if (steps?.ok === false) return steps;
  const plan = compilePlan(release, steps && { steps: steps.value });
  return { ok: true, value: { ...plan, verdict: inWordsOf(signals, plan.verdict) } };
}

/** What is counted elsewhere is called there what it is. */
function inWordsOf(
  signals: readonly Pick<SignalSource, "name" | "what">[],
  { settings, ...verdict }: VerdictPlan,
): VerdictPlan {
  const named = settings.signals.map((signal) => ({
    ...signal,
    what: signals.find(({ name }) => name === signal.name)?.what ?? signal.what,
  }));
  return { ...verdict, settings: { ...settings, signals: named } };
}

/** In the order of time, and never given twice. */
function newId(now: number): string {
  return `r${now.toString(36)}${randomBytes(2).toString("hex")}`;
}

function reasonOf(result: StoreResult | { readonly kind: "unchanged" }): string {
  switch (result.kind) {
    case "unavailable":
    case "locked":
      return result.reason;
    case "invalid":
      return formatProblems(result.problems).join("; ");
    case "fenced":
      return `the lock ${result.lock} was given to another gateway`;
    case "stale":
      return "the app was changed again and again meanwhile; try again";
    case "missing":
    case "stored":
    case "deleted":
    case "unchanged":
      return `it ended as ${result.kind}`;
  }
}
