import { parseDuration } from "../../src/config/duration.ts";
import { begin, type Beginning } from "../../src/core/release-begin.ts";
import type { Facts } from "../../src/core/release-event.ts";
import { DEFAULT_PLAN, type PlanStep, type ReleasePlan } from "../../src/core/release-plan.ts";
import { isOver, type ReleaseHook, type ReleaseState } from "../../src/core/release-state.ts";
import { describe } from "../../src/core/release-view.ts";
import { waitingFor } from "../../src/core/release-waiting.ts";
import { answerTo } from "../../src/core/release.fixture.ts";
import { transition } from "../../src/core/release.ts";
import type { AppStore } from "../../src/directory/app-store.ts";
import type { StoredApp } from "../../src/directory/directory.ts";
import { pastOf, readRecord, withCurrent, type ReleaseRecord } from "../../src/release/release-record.ts";
import type {
  ReleaseAnswer,
  ReleaseRefusal,
  ReleaseService,
  StartRequest,
} from "../../src/release/release-service.ts";

/**
 * Releases for tests: the real machine and the real store, with a controller that does nothing by itself. What a release
 * waits for comes when the test says so, or a step at each look at it (`moves`); what waits for a person always waits.
 */
export class ReleaseDesk implements ReleaseService {
  /** Each look at a release brings what it waits for. */
  moves = false;
  /** Groups without a live server. */
  dead: readonly string[] = [];
  readonly hooks: readonly ReleaseHook[] = [
    { name: "deploy", idempotent: false },
    { name: "restore", idempotent: false },
  ];
  private readonly store: AppStore;
  private now: number;
  private begun = 0;
  /** One step at a time: two looks close together would else skip what lies between. */
  private isMoving = false;

  constructor(store: AppStore, now: number) {
    this.store = store;
    this.now = now;
  }

  start: ReleaseService["start"] = async (name, request, by) =>
    await this.change(name, by, (app, record) => {
      const beginning = this.beginningOf(app, record, request, by);
      if (beginning.kind === "refused") return beginning.refusals;
      this.begun += 1;
      return { state: beginning.state, what: `release ${request.version}` };
    });

  preview: ReleaseService["preview"] = (name, request) => {
    const app = this.store.get(name);
    if (app === undefined) return Promise.resolve({ kind: "missing", what: "app" });
    const beginning = this.beginningOf(app, this.record(name), request, "");
    return Promise.resolve({
      kind: "preview",
      plan: planOf(request),
      refusals: beginning.kind === "refused" ? beginning.refusals : [],
      hooks: this.hooks.map((hook) => hook.name),
    });
  };

  command: ReleaseService["command"] = async (name, { type, reason, step }, by) =>
    await this.change(name, by, (app, { current }) => {
      if (current === undefined) return undefined;
      const result = transition(current, { type, by, reason, step, facts: this.facts(app) }, this.now);
      return result.kind === "refused" ? [result] : { state: result.state, what: `release ${type}` };
    });

  view: ReleaseService["view"] = (name) => {
    const { current } = this.record(name);
    if (current === undefined) return undefined;
    const shown = describe(current, this.now);
    if (this.moves && !this.isMoving) {
      this.isMoving = true;
      void this.bring(name).finally(() => (this.isMoving = false));
    }
    return shown;
  };

  history: ReleaseService["history"] = (name) => {
    const { current, past } = this.record(name);
    return current === undefined ? past : [pastOf(current), ...past];
  };

  freezeOf: ReleaseService["freezeOf"] = (name) => this.record(name).freeze;

  freeze: ReleaseService["freeze"] = async (name, freeze, by) => {
    const result = await this.store.advance(name, by, (app) => {
      const { freeze: _, ...record } = readRecord(app.releases);
      const releases =
        freeze === undefined ? record : { ...record, freeze: { ...freeze, by, since: this.now } };
      return { document: app.document, releases, what: freeze === undefined ? "unfreeze" : "freeze" };
    });
    if (result.kind === "missing") return { kind: "missing" };
    return result.kind === "unavailable" ? result : { kind: "done" };
  };

  /** What the release waits for comes, unless that is a person. */
  async bring(name: string): Promise<void> {
    await this.change(name, "halftone", (app, { current }) => {
      if (current === undefined || isOver(current) || waitingFor(current) === "continue") return undefined;
      const answer = answerTo(current, this.now, this.facts(app));
      if ("by" in answer.event) return undefined;
      this.now = answer.now;
      const result = transition(current, answer.event, this.now);
      if (result.kind === "refused" || result.state === current) return undefined;
      return { state: result.state, what: "release step" };
    });
  }

  /** Brings what it waits for until it is there, or waits for a person. */
  async until(name: string, arrived: (state: ReleaseState) => boolean): Promise<void> {
    for (let rounds = 0; rounds < 200; rounds++) {
      const { current } = this.record(name);
      if (current === undefined || arrived(current)) return;
      await this.bring(name);
    }
    throw new Error(`never came there: ${JSON.stringify(this.record(name).current?.stage)}`);
  }

  /** Says something to the machine that no person says: what a controller found out. */
  async report(name: string, event: Record<string, unknown>): Promise<void> {
    await this.change(name, "halftone", (app, { current }) => {
      const whole = { step: current!.step, ...event, facts: this.facts(app) };
      const result = transition(current!, whole as Parameters<typeof transition>[1], this.now);
      return result.kind === "refused" ? [result] : { state: result.state, what: "release report" };
    });
  }

  private beginningOf(app: StoredApp, record: ReleaseRecord, request: StartRequest, by: string): Beginning {
    const { version, groups, update, restore } = request;
    return begin(
      {
        id: `r${this.begun + 1}`,
        app: app.name,
        version,
        by,
        appGroups: Object.keys(app.document.groups),
        deploy: app.document.deploy ?? 0,
        groups,
        plan: planOf(request),
        update,
        restore,
        hooks: this.hooks,
        last: record.current,
        facts: this.facts(app),
      },
      this.now,
    );
  }

  private record(name: string): ReleaseRecord {
    return readRecord(this.store.get(name)?.releases);
  }

  private facts(app: StoredApp): Facts {
    const groups = Object.entries(app.document.groups).map(([name, { servers }]) => {
      const live = this.dead.includes(name) ? 0 : servers.length;
      return [name, { weight: servers.length, liveWeight: live, servers: servers.length, live }] as const;
    });
    return { groups: Object.fromEntries(groups), freeze: readRecord(app.releases).freeze };
  }

  private async change(
    name: string,
    by: string,
    make: (
      app: StoredApp,
      record: ReleaseRecord,
    ) => { state: ReleaseState; what: string } | readonly ReleaseRefusal[] | undefined,
  ): Promise<ReleaseAnswer> {
    let refusals: readonly ReleaseRefusal[] | undefined;
    const result = await this.store.advance(name, by, (app) => {
      const record = readRecord(app.releases);
      const made = make(app, record);
      refusals =
        made !== undefined && !("state" in made)
          ? made.map(({ code, reason }) => ({ code, reason }))
          : undefined;
      if (made === undefined || !("state" in made)) return undefined;
      return { document: app.document, releases: withCurrent(record, made.state), what: made.what };
    });
    if (refusals !== undefined) return { kind: "refused", refusals };
    if (result.kind === "missing") return { kind: "missing", what: "app" };
    if (result.kind === "unavailable") return result;
    const { current } = this.record(name);
    return current === undefined
      ? { kind: "missing", what: "release" }
      : { kind: "done", view: describe(current, this.now) };
  }
}

function planOf({ steps }: StartRequest): ReleasePlan {
  return steps === undefined ? DEFAULT_PLAN : { ...DEFAULT_PLAN, steps: (steps as object[]).map(stepOf) };
}

/** `{"share": 10, "for": "2m"}` and the like, well written. */
function stepOf(written: object): PlanStep {
  const {
    testers,
    share,
    hold,
    for: length,
    atMost,
  } = written as Record<string, string | number | undefined>;
  const wait = (text: string | number | undefined) =>
    text === "wait" || text === undefined
      ? ({ until: "continue" } as const)
      : ({ until: "time", for: parseDuration(String(text)) ?? -1 } as const);
  if (testers !== undefined) return { kind: "testers", wait: wait(testers) };
  if (hold !== undefined) return { kind: "hold", wait: wait(hold) };
  if (atMost === undefined) return { kind: "share", share: Number(share), wait: wait(length) };
  const most = parseDuration(String(atMost)) ?? -1;
  return { kind: "share", share: Number(share), wait: { until: "verdict", atMost: most } };
}
