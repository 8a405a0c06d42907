import { describe, expect, it } from "vitest";
import type { AppDocument } from "../config/app-document.ts";
import { begin } from "../core/release-begin.ts";
import { DEFAULT_PLAN } from "../core/release-plan.ts";
import type { ReleaseState } from "../core/release-state.ts";
import { transition } from "../core/release.ts";
import type { StoredApp } from "../directory/directory.ts";
import { refuseUnderRelease } from "./guard-changes.ts";
import { noticeOfChange } from "./notice-of-change.ts";
import { withState } from "./release-changes.ts";
import { readRecord, runningRelease, UnreadableRecord, withCurrent } from "./release-record.ts";
import { routeDocument } from "./route-document.ts";

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
  const tell = (event: Parameters<typeof transition>[1]): void => {
    const next = transition(now, event, 2000);
    if (next.kind === "next") now = next.state;
  };
  tell({ type: "rollback", by: "amy", facts: FACTS });
  for (let turn = 0; turn < 50 && now.stage.kind !== "rolledBack"; turn += 1) {
    tell({ type: "converged", change: now.change, facts: FACTS });
    tell({ type: "drain", step: now.step, idle: true, busy: [], facts: FACTS });
    tell({ type: "health", step: now.step, servers: [{ id: "10.0.0.1:80", passed: 9 }], facts: FACTS });
    tell({ type: "tick", facts: FACTS });
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
