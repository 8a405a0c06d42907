import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { Dice } from "../chaos/dice.ts";
import { GROUP1, GROUP2, openStage, reach, release, type ReleaseStage, SHORT, viewOf } from "./stage.ts";
import { startVisitors, KINDS } from "./visitors.ts";

/** How many releases in a row; `npm run soak:releases` makes it 50. */
const ROUNDS = Number(process.env["HALFTONE_RELEASES"] ?? 2);
const TIME = 60_000 + ROUNDS * 40_000;
const SEED = Number(process.env["HALFTONE_SEED"] ?? Date.now() % 2 ** 31);

function allRun(stage: ReleaseStage, version: string): void {
  expect(Object.fromEntries(stage.versions())).toEqual(
    Object.fromEntries([...GROUP1, ...GROUP2].map((server) => [server, version])),
  );
}

describe("releases under load, with servers that are really replaced", () => {
  it(`${ROUNDS} in a row: no request fails, nobody is sent back`, { timeout: TIME }, async () => {
    const scene = openScene(onTestFinished);
    const stage = await openStage(scene);
    const visitors = startVisitors(
      scene,
      stage.gateways.map(({ gatewayPort }) => gatewayPort),
    );
    await visitors.more(100);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const gateway = stage.gateways[round % 2]!;
      await release(gateway, "start", { version: `v${round}`, steps: SHORT });
      const end = await reach(
        gateway,
        `release ${round} to be done`,
        ({ status }) => status === "done" || status === "rolledBack",
      );
      expect(end.status, JSON.stringify(end)).toBe("done");
      allRun(stage, `v${round}`);
      await visitors.more(50);
      expect(visitors.failures).toEqual([]);
    }
    await visitors.stop();
    expect(visitors.failures).toEqual([]);
    for (const kind of KINDS) expect(visitors.byKind.get(kind), kind).toBeGreaterThan(0);
    const calls = await stage.hookCalls();
    const counts = new Set(calls.map(({ server, version }) => `${server} ${version}`));
    expect(calls.length).toBe(ROUNDS * (GROUP1.length + GROUP2.length));
    expect(counts.size).toBe(calls.length);
  });

  it(
    `${ROUNDS} rollbacks at a random moment: no request fails, the old version is back`,
    { timeout: TIME },
    async () => {
      const scene = openScene(onTestFinished);
      console.log(`HALFTONE_SEED=${SEED}`);
      const dice = new Dice(SEED);
      const stage = await openStage(scene, { idempotent: true });
      const [first, second] = stage.gateways;
      const visitors = startVisitors(
        scene,
        stage.gateways.map(({ gatewayPort }) => gatewayPort),
      );
      await visitors.more(100);
      for (let round = 1; round <= ROUNDS; round += 1) {
        visitors.mayReturn = false;
        await release(first!, "start", {
          version: `v${round}`,
          steps: [...SHORT.slice(0, -1), { hold: "wait" }],
        });
        await new Promise((resolve) => setTimeout(resolve, dice.next() * 6000));
        visitors.mayReturn = true;
        await release(second!, "rollback", { reason: "the dice said so" });
        const end = await reach(second!, "the end", ({ status }) => status === "rolledBack");
        expect(end.reason).toMatch(/the dice said so/);
        allRun(stage, "v0");
        await visitors.more(50);
        expect(visitors.failures).toEqual([]);
      }
      await visitors.stop();
      expect(visitors.failures).toEqual([]);
    },
  );

  it(
    `${ROUNDS} times the controller's gateway is killed: another one ends the release`,
    { timeout: TIME },
    async () => {
      const scene = openScene(onTestFinished);
      console.log(`HALFTONE_SEED=${SEED}`);
      const dice = new Dice(SEED + 1);
      const stage = await openStage(scene, { idempotent: true });
      for (let round = 1; round <= ROUNDS; round += 1) {
        const visitors = startVisitors(scene, [
          stage.gateways[1]!.gatewayPort,
          stage.gateways[0]!.gatewayPort,
        ]);
        await visitors.more(50);
        await release(stage.gateways[0]!, "start", { version: `v${round}`, steps: SHORT });
        const index = await until("one of them to run the release", () => {
          const found = stage.gateways.findIndex(({ log }) =>
            log.some(({ msg }) => msg === "this gateway runs the releases"),
          );
          return found >= 0 ? { found } : undefined;
        });
        await new Promise((resolve) => setTimeout(resolve, dice.next() * 4000));
        // Its own clients are cut with it: what counts are those of the others.
        await visitors.stop();
        expect(visitors.failures).toEqual([]);
        const killed = stage.gateways[index.found]!;
        const other = stage.gateways[1 - index.found]!;
        const others = startVisitors(scene, [other.gatewayPort]);
        killed.kill("SIGKILL");
        await killed.exit;
        const end = await reach(
          other,
          "the end",
          ({ status }) => status === "done" || status === "rolledBack",
          90_000,
        );
        expect(end.status, JSON.stringify(end)).toBe("done");
        allRun(stage, `v${round}`);
        await others.stop();
        expect(others.failures).toEqual([]);
        stage.gateways[index.found] = await stage.sites[index.found]!.start();
      }
    },
  );
});

describe("what stops a release", () => {
  it("a server that does not come up is named, and nothing is sent there", { timeout: 60_000 }, async () => {
    const scene = openScene(onTestFinished);
    const stage = await openStage(scene, {
      gateways: 1,
      hooks: { broken: { command: ["/bin/true"], per: "group" } },
    });
    const [gateway] = stage.gateways;
    // Its process is ended, and the hook starts none.
    await gateway!.api("POST", "/apps/shop/release", { version: "v1", update: "broken", steps: SHORT });
    await reach(gateway!, "checking", ({ phase }) => phase === "checking" || phase === "updating");
    process.kill(Number(readFileSync(`${stage.folder}/${GROUP1[0]}.pid`, "utf8")), "SIGKILL");
    const view = await reach(
      gateway!,
      "the reason",
      ({ phase, reason }) => phase === "checking" && /127\.0\.7\.1:/.test(reason ?? ""),
    );
    expect(view).toMatchObject({ status: "running", group: "group1", share: 0 });
    expect(view.reason).toMatch(/ECONNREFUSED/);
  });

  it(
    "a hook that fails stops it with the hook's words; continue runs it again, rollback is taken",
    { timeout: 60_000 },
    async () => {
      const scene = openScene(onTestFinished);
      const stage = await openStage(scene, {
        gateways: 1,
        hooks: { failing: { command: ["/bin/sh", "-c", "echo no space left on $HALFTONE_GROUP; exit 7"] } },
      });
      const [gateway] = stage.gateways;
      await release(gateway!, "start", { version: "v1", update: "failing", steps: SHORT });
      const view = await reach(gateway!, "trouble", ({ status }) => status === "paused");
      expect(view).toMatchObject({ phase: "updating", waitingFor: "continue" });
      expect(view.reason).toMatch(/7.*no space left on group1|no space left on group1/s);
      await release(gateway!, "rollback");
      await reach(gateway!, "the end", ({ status }) => status === "rolledBack");
    },
  );

  it(
    "guards: too little left, a second release, an edit under it, a freeze",
    { timeout: 60_000 },
    async () => {
      const scene = openScene(onTestFinished);
      const stage = await openStage(scene, {
        gateways: 1,
        document: { release: { update: "replace", restore: "replace", minCapacity: 60 } },
      });
      const [gateway] = stage.gateways;
      const little = await gateway!.api("POST", "/apps/shop/release", { version: "v1" });
      expect(little).toMatchObject({ status: 409 });
      expect(JSON.stringify(little.body)).toMatch(/minCapacity 60 %/);

      await gateway!.put("shop", { ...stage.document, release: { update: "replace", restore: "replace" } });
      await release(gateway!, "start", {
        version: "v1",
        steps: [{ testers: "wait" }, { share: 100, for: "100ms" }],
      });
      const second = await gateway!.api("POST", "/apps/shop/release", { version: "v2" });
      expect(JSON.stringify(second.body)).toMatch(/expected one release at a time/);
      const { body } = await gateway!.api("GET", "/apps/shop");
      const edited = {
        ...(body as object),
        groups: { group1: { servers: ["127.0.7.1"] }, group2: { servers: ["127.0.7.11"] } },
      };
      const edit = await gateway!.api("PUT", "/apps/shop", edited, { "if-match": "*" });
      expect(edit).toMatchObject({ status: 409, body: { type: "urn:halftone:problem:locked" } });
      expect(await gateway!.api("PUT", "/apps/shop/deploy", { deploy: 0 })).toMatchObject({ status: 409 });
      expect(
        await gateway!.api("PUT", "/apps/shop", { ...(body as object), expose: true }, { "if-match": "*" }),
      ).toMatchObject({ status: 200 });

      await reach(
        gateway!,
        "testing",
        ({ phase, waitingFor }) => phase === "testing" && waitingFor === "continue",
      );
      expect((await gateway!.api("PUT", "/apps/shop/freeze", { reason: "a feast day" })).status).toBeLessThan(
        300,
      );
      const frozen = await gateway!.api("POST", "/apps/shop/release/continue", {});
      expect(frozen.status).toBe(409);
      expect(JSON.stringify(frozen.body)).toMatch(/a feast day/);
      await release(gateway!, "rollback");
      await reach(gateway!, "the end", ({ status }) => status === "rolledBack");
      expect((await viewOf(gateway!)).status).toBe("rolledBack");
    },
  );
});
