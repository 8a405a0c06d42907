import { describe, expect, it } from "vitest";
import type { AppDocument } from "../config/app-document.ts";
import { begin } from "../core/release-begin.ts";
import { outstanding } from "../core/release-effects.ts";
import { DEFAULT_PLAN } from "../core/release-plan.ts";
import type { ReleaseState } from "../core/release-state.ts";
import { play } from "../core/release.fixture.ts";
import { transition } from "../core/release.ts";
import type { StoredApp } from "../directory/directory.ts";
import { refuseUnderRelease } from "./guard-changes.ts";
import { noticeOfChange } from "./notice-of-change.ts";
import { withState } from "./release-changes.ts";
import { readRecord, runningRelease, UnreadableRecord, withCurrent } from "./release-record.ts";
import { lift, quarantine, routeDocument } from "./route-document.ts";

const DOCUMENT: AppDocument = {
  name: "shop",
  groups: { one: { servers: ["10.0.0.1"] }, two: { servers: ["10.0.0.2"] } },
  expose: true,
};
const FACTS = {
  groups: {
    one: { weight: 1, liveWeight: 1, servers: 1, live: 1 },
    two: { weight: 1, liveWeight: 1, servers: 1, live: 1 },
  },
};

function begun(id: string = "r1"): ReleaseState {
  const input = { id, app: "shop", version: "v1", by: "amy", appGroups: ["one", "two"], deploy: 0 };
  const answer = begin({ ...input, plan: DEFAULT_PLAN, hooks: [], facts: FACTS }, 1000);
  if (answer.kind !== "begun") throw new Error(JSON.stringify(answer));
  return answer.state;
}

function rolledBack(state: ReleaseState): ReleaseState {
  let now = state;
  let time = Math.max(2000, state.since);
  const tell = (event: Parameters<typeof transition>[1]): void => {
    const next = transition(now, event, time);
    if (next.kind === "next") now = next.state;
  };
  tell({ type: "rollback", by: "amy", facts: FACTS });
  for (let turn = 0; turn < 200 && now.stage.kind !== "rolledBack"; turn += 1) {
    tell({ type: "converged", change: now.change, facts: FACTS });
    tell({ type: "drain", step: now.step, idle: true, busy: [], facts: FACTS });
    tell({ type: "health", step: now.step, servers: [{ id: "10.0.0.1:80", passed: 9 }], facts: FACTS });
    tell({ type: "tick", facts: FACTS });
    tell({ type: "continue", by: "amy", facts: FACTS });
    time += 60_000;
  }
  return now;
}

function stored(state: ReleaseState | undefined, revision: number = 1): StoredApp {
  const app = { name: "shop", revision, document: DOCUMENT };
  if (state === undefined) return app;
  const { document, releases } = withState(app, state);
  return { ...app, document, releases };
}

describe("the document of an app under release", () => {
  it("is routed as the state says, and is itself again at the end", () => {
    expect(routeDocument(DOCUMENT, begun())).toEqual({
      ...DOCUMENT,
      deploy: 1,
      share: 0,
      testing: false,
      draw: "r1",
      tally: { window: "10s" },
    });
    const end = rolledBack(begun());
    expect(end.stage.kind).toBe("rolledBack");
    expect(routeDocument(routeDocument(DOCUMENT, begun()), end)).toEqual({
      ...DOCUMENT,
      deploy: 0,
      share: 0,
    });
  });

  it("takes no change of what the release stands on, and any other", () => {
    const before = stored(begun());
    const { document } = before;
    expect(refuseUnderRelease(before, { ...document, expose: false })).toBeUndefined();
    for (const change of [
      { deploy: 0 },
      { share: 5 },
      { port: 81 },
      { standby: ["two"] },
      { groups: { one: { servers: ["10.0.0.9"] } } },
    ]) {
      expect(refuseUnderRelease(before, { ...document, ...change })).toMatch(
        new RegExp(
          `^release r1 \\(version v1\\) is at draining of one: ${Object.keys(change)[0]} cannot be changed`,
        ),
      );
    }
    expect(refuseUnderRelease(before, undefined)).toMatch(/cannot be deleted; roll the release back first/);
    expect(refuseUnderRelease(stored(rolledBack(begun())), undefined)).toBeUndefined();
    expect(refuseUnderRelease(stored(undefined), undefined)).toBeUndefined();
  });

  it("is left alone when another version of the program wrote its release", () => {
    const foreign = { ...stored(undefined), releases: { past: [], current: { format: 99 } } };
    expect(refuseUnderRelease(foreign, DOCUMENT)).toMatch(/format 99; expected 1/);
    for (const releases of [foreign.releases, 7, null, { past: 7 }]) {
      expect(() => readRecord(releases)).toThrow(UnreadableRecord);
    }
  });
});

describe("servers in quarantine", () => {
  const PAIRS: AppDocument = {
    name: "shop",
    groups: { one: { servers: ["10.0.0.1", "10.0.0.2"] }, two: { servers: ["10.0.0.3"] } },
  };
  const [FIRST, SECOND] = ["10.0.0.1:80", "10.0.0.2:80"];
  const known = { groups: { one: { ...FACTS.groups.one, weight: 2, servers: 2 }, two: FACTS.groups.two } };

  /** Found broken at the first share of clients. */
  function without(state: ReleaseState, server: string): ReleaseState {
    const { stage } = play().until("shifting").state;
    const reached = { ...state, stage, reachedAt: 1000 };
    const event = { type: "badServer", step: state.step, server, reason: "", facts: known } as const;
    const next = transition(reached, event, 2000);
    if (next.kind !== "next" || next.state.direction === "back") throw new Error(JSON.stringify(next));
    return next.state;
  }

  function storedAs(app: StoredApp, state: ReleaseState): StoredApp {
    return { ...app, revision: app.revision + 1, ...withState(app, state) };
  }

  it("are put there with the state that says so, once", () => {
    const first = storedAs({ name: "shop", revision: 1, document: PAIRS }, begun());
    expect(first.document).not.toHaveProperty("quarantine");
    const broken = without(begun(), FIRST);
    const second = storedAs(first, broken);
    expect(second.document.quarantine).toEqual([FIRST]);
    expect(storedAs(second, broken).document.quarantine).toEqual([FIRST]);
  });

  it("are put there again when they are found again, after a person has put them back", () => {
    const broken = without(begun(), FIRST);
    const taken = storedAs(storedAs({ name: "shop", revision: 1, document: PAIRS }, begun()), broken);
    const back = { ...taken, document: lift(taken.document, FIRST) };
    expect(back.document).not.toHaveProperty("quarantine");
    // Whatever else the release does, what people have decided stays.
    const later = storedAs(back, { ...broken, since: 3000 });
    expect(later.document).not.toHaveProperty("quarantine");
    expect(storedAs(later, without(broken, FIRST)).document.quarantine).toEqual([FIRST]);
  });

  it("stay there beside those that people have put there, also when the release is over", () => {
    const document = quarantine(PAIRS, [SECOND]);
    const taken = storedAs({ name: "shop", revision: 1, document }, begun());
    expect(taken.document.quarantine).toEqual([SECOND]);
    const end = storedAs(taken, rolledBack(begun()));
    expect(end.document).toEqual({ ...PAIRS, deploy: 0, share: 0, quarantine: [SECOND] });
    // Another release knows nothing of those of the one before.
    const again = storedAs(storedAs(end, begun("r2")), without(begun("r2"), FIRST));
    expect(again.document.quarantine).toEqual([SECOND, FIRST]);
  });

  it("may be put there and put back by hand while a release runs", () => {
    const before = storedAs({ name: "shop", revision: 1, document: PAIRS }, begun());
    const after = quarantine(before.document, [FIRST, FIRST, FIRST]);
    expect(after.quarantine).toEqual([FIRST]);
    expect(refuseUnderRelease(before, after)).toBeUndefined();
    expect(refuseUnderRelease({ ...before, document: after }, lift(after, FIRST))).toBeUndefined();
    expect(lift(after, SECOND)).toBe(after);
    expect(quarantine(after, [FIRST])).toBe(after);
    expect(refuseUnderRelease(before, { ...before.document, tally: { window: "1s" } })).toMatch(
      /: tally cannot be changed by hand/,
    );
  });
});

describe("what is counted", () => {
  it("is what the plan and the old version's latencies say, while the release runs", () => {
    const { plan } = begun();
    const counted = (state: ReleaseState): unknown => routeDocument(DOCUMENT, state).tally;
    expect(counted({ ...begun(), slower: [1.5, 20, 300] })).toEqual({
      window: "10s",
      slower: [1.5, 20, 300],
    });
    const verdict = { ...plan.verdict, window: 2500 };
    expect(counted({ ...begun(), plan: { ...plan, verdict } })).toEqual({ window: "2500ms" });
    const none = { ...plan.verdict, settings: { ...plan.verdict.settings, signals: [] } };
    expect(counted({ ...begun(), plan: { ...plan, verdict: none } })).toBeUndefined();
    expect(counted(rolledBack(begun()))).toBeUndefined();
  });
});

describe("a release that was begun before there were verdicts", () => {
  /** As it was stored then. */
  function earlier(state: ReleaseState): unknown {
    const { quarantined: _, slower: __, plan, ...rest } = state;
    const { verdict: ___, ...steps } = plan;
    return JSON.parse(JSON.stringify({ past: [], current: { ...rest, plan: steps } }));
  }

  it("goes on as one of which nothing was judged, to either end", () => {
    for (const kind of ["draining", "updating", "testing", "shifting", "holding", "merging"] as const) {
      const player = play().until(kind);
      const record = readRecord(earlier(player.state));
      expect(record.current).toEqual(player.state);
      expect(readRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
      expect(rolledBack(record.current!).stage.kind).toBe("rolledBack");
    }
    const over = readRecord(earlier(rolledBack(begun()))).current!;
    expect(over).toMatchObject({ quarantined: [], slower: null, stage: { kind: "rolledBack" } });
  });

  it("is judged from its next change on", () => {
    const { current } = readRecord(earlier(play().until("shifting").state));
    expect(outstanding(current!).map(({ kind }) => kind)).toContain("verdict");
    expect(routeDocument(DOCUMENT, current!).tally).toEqual({ window: "10s" });
  });

  it("keeps what it has of them", () => {
    const state = { ...begun(), quarantined: ["10.0.0.1:80"], slower: [1, 2, 3] };
    const { slower: _, ...rest } = state;
    expect(readRecord({ past: [], current: rest }).current).toEqual({ ...state, slower: null });
    const untouched = { past: [], current: state };
    expect(readRecord(untouched).current).toBe(state);
  });
});

describe("what is kept of releases", () => {
  it("is the current one and, in short, those before it", () => {
    const first = withCurrent(readRecord(undefined), rolledBack(begun("r1")));
    const second = withCurrent(first, begun("r2"));
    expect(runningRelease(first)).toBeUndefined();
    expect(runningRelease(second)?.id).toBe("r2");
    expect(second.past).toMatchObject([
      { id: "r1", version: "v1", status: "rolledBack", by: "amy", begunAt: 1000, endedAt: 2000 },
    ]);
    let record = second;
    for (let n = 3; n < 60; n += 1) record = withCurrent(record, begun(`r${n}`));
    expect(record.past).toHaveLength(20);
    expect(record.past[0]?.id).toBe("r58");
  });
});

describe("what people are told", () => {
  const change = { at: "", by: "amy", what: "", name: "shop" };

  it("is what is new in the log, by the gateway that made the change", () => {
    const [before, after] = [stored(begun()), stored(rolledBack(begun()), 2)];
    const text = noticeOfChange({ ...change, before: stored(undefined), after: before })?.text;
    expect(text).toBe("shop v1: release of version v1; draining of one begins (amy)");
    const end = noticeOfChange({ ...change, before, after });
    expect(end?.text).toMatch(/^shop v1: .*rolled back/);
    expect(end?.text).not.toContain("release of version");
    expect(noticeOfChange({ ...change, before, after, elsewhere: true })).toBeUndefined();
    expect(noticeOfChange({ ...change, before, after: { ...before, revision: 2 } })).toBeUndefined();
    expect(noticeOfChange({ ...change, before, after: undefined })).toBeUndefined();
  });
});
