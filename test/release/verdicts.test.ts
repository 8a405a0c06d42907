import { describe, expect, it, onTestFinished } from "vitest";
import type { AppDocument } from "../../src/config/app-document.ts";
import type { VerdictJson } from "../../src/admin/verdict-schemas.ts";
import { environmentOf, runCli } from "../e2e/harness/cli.ts";
import type { HalftoneProcess } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { startCrowd } from "./crowd.ts";
import { GROUP1, openStage, reach, release, type View } from "./stage.ts";

/** Windows of a second, so that nobody waits for minutes; how much is evidence is the same. */
const QUICK = { window: "1s", warmUp: "1s" };
const TIME = 150_000;
const BROKEN = GROUP1[1]!;

function document(verdict: object, more: object = {}): Partial<AppDocument> {
  const common = { update: "replace", restore: "replace", slowStart: "500ms", checks: 2 };
  return { release: { ...common, verdict: { ...QUICK, ...verdict }, ...more } };
}

async function verdictOf(gateway: HalftoneProcess): Promise<VerdictJson> {
  const { status, body } = await gateway.api("GET", "/apps/shop/verdict");
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body as VerdictJson;
}

async function cli(gateway: HalftoneProcess, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, {
    cwd: gateway.site.folder,
    env: environmentOf(gateway),
  });
  expect(code, stderr).toBe(0);
  return stdout;
}

const isOver = ({ status }: View): boolean => status === "done" || status === "rolledBack";

describe("a version is judged by what clients meet", { timeout: TIME }, () => {
  it("goes back by itself when 3 % of its answers are errors, and says why", async () => {
    const scene = openScene(onTestFinished);
    const stage = await openStage(scene, { document: document({ signals: ["errors"] }) });
    const [first, second] = stage.gateways;
    const crowd = startCrowd(
      scene,
      stage.gateways.map(({ gatewayPort }) => gatewayPort),
    );
    await crowd.more(100);
    const steps = [
      { share: 20, until: "verdict", atMost: "120s" },
      { share: 100, for: "300ms" },
    ];
    await release(first!, "start", { version: "v1+errors3", steps });
    const end = await reach(second!, "the end", isOver, 120_000);
    expect(end.status, JSON.stringify(end)).toBe("rolledBack");
    expect(end.reason).toMatch(
      /goes back because: The new version is worse\. \d+ errors in .* against 0 in /,
    );
    await crowd.stop();
    expect(crowd.failures).toEqual([]);

    const verdict = await verdictOf(second!);
    expect(verdict.answer).toBe("worse");
    expect(verdict.badServer).toBeNull();
    expect(verdict.unequal.evidence).toBeGreaterThan(100);
    expect(verdict.usersWithErrors).toBeGreaterThan(0);
    expect(verdict.usersWithErrors).toBeLessThanOrEqual(crowd.met.get("v1+errors3") ?? 0);
    // Some came while the windows before were judged: they are known only now.
    const [, then] = /(\d+) users met an error/.exec(end.log.find(({ by }) => by === "verdict")!.what)!;
    expect(Number(then)).toBeLessThanOrEqual(verdict.usersWithErrors);
    const audit = (await first!.api("GET", "/audit")).body as readonly { readonly what: string }[];
    expect(audit.filter(({ what }) => what.includes("The new version is worse.")).length).toBeGreaterThan(0);
    const told = await cli(first!, "release", "verdict", "shop");
    expect(told).toContain("The new version is worse.");
    expect(told).toContain(`${verdict.usersWithErrors} users met an error`);
  });

  it("goes back when its answers take 80 ms longer", async () => {
    const scene = openScene(onTestFinished);
    const stage = await openStage(scene, { gateways: 1, document: document({}) });
    const crowd = startCrowd(scene, [stage.gateways[0]!.gatewayPort]);
    await crowd.more(1500);
    const steps = [
      { share: 20, until: "verdict", atMost: "120s" },
      { share: 100, for: "300ms" },
    ];
    await release(stage.gateways[0]!, "start", { version: "v1+late80", steps });
    const end = await reach(stage.gateways[0]!, "the end", isOver, 120_000);
    expect(end.status, JSON.stringify(end)).toBe("rolledBack");
    expect(end.reason).toMatch(/The new version is worse\. \d+ answers slower than p\d+ in /);
    expect((await verdictOf(stage.gateways[0]!)).usersWithErrors).toBe(0);
    expect(crowd.failures).toEqual([]);
  });

  it("goes on without a server that alone is broken, which is in quarantine afterwards", async () => {
    const scene = openScene(onTestFinished);
    const stage = await openStage(scene, {
      document: document({ signals: ["errors"], notWorseThan: 3 }, { minCapacity: 20 }),
    });
    const [first, second] = stage.gateways;
    const crowd = startCrowd(
      scene,
      stage.gateways.map(({ gatewayPort }) => gatewayPort),
    );
    await crowd.more(100);
    const version = `v1+broken${BROKEN}`;
    const steps = [
      { share: 50, until: "verdict", atMost: "120s" },
      { share: 100, for: "300ms" },
    ];
    await release(first!, "start", { version, steps });
    const end = await reach(second!, "the end", isOver, 120_000);
    expect(end.status, JSON.stringify(end)).toBe("done");
    const server = `${BROKEN}:${stage.port}`;
    expect(end.log.find(({ what }) => what.includes("quarantine"))?.what).toContain(
      `${server} goes into quarantine: The server ${server} is broken, not the new version`,
    );
    const { body } = await second!.api("GET", "/apps/shop");
    expect(body).toMatchObject({ quarantine: [server], deploy: 0 });
    expect(body).not.toHaveProperty("tally");
    const met = crowd.met.get(version) ?? 0;
    expect(met).toBeGreaterThan(0);
    await crowd.more(600);
    expect(crowd.met.get(version)).toBe(met);
    expect(crowd.failures).toEqual([]);

    expect(await cli(first!, "quarantine", "shop", server, "--lift")).toBe("in quarantine of shop: none\n");
  });

  it("ends a step without a hand when it is proven not worse", async () => {
    const scene = openScene(onTestFinished);
    const stage = await openStage(scene, {
      document: document({ signals: ["errors"], notWorseThan: 3, acceptable: 0.5 }),
    });
    const crowd = startCrowd(
      scene,
      stage.gateways.map(({ gatewayPort }) => gatewayPort),
    );
    await crowd.more(100);
    const steps = [
      { share: 50, until: "verdict", atMost: "120s" },
      { share: 100, for: "300ms" },
    ];
    await release(stage.gateways[0]!, "start", { version: "v1", steps });
    const end = await reach(stage.gateways[1]!, "the end", isOver, 120_000);
    expect(end.status, JSON.stringify(end)).toBe("done");
    expect(end.log.filter(({ by }) => by === "verdict").map(({ what }) => what)).toEqual([
      expect.stringMatching(/^not worse: The new version is not worse\. 0 errors in /),
      expect.stringMatching(/^shifting of group1 \(100 %\) begins/),
    ]);
    expect(crowd.met.size).toBe(0);
    expect(crowd.failures).toEqual([]);
  });

  it("is held with hardly any traffic, and says what is missing", async () => {
    const scene = openScene(onTestFinished);
    const stage = await openStage(scene, { gateways: 1, document: document({}) });
    const [gateway] = stage.gateways;
    startCrowd(scene, [gateway!.gatewayPort], { connections: 1, pauseBetween: 500 });
    const steps = [
      { share: 50, until: "verdict", atMost: "8s" },
      { share: 100, for: "300ms" },
    ];
    await release(gateway!, "start", { version: "v1", steps });
    const shifting = await reach(gateway!, "the share", ({ phase }) => phase === "shifting");
    expect(shifting.waitingFor === "verdict" || shifting.waitingFor === "convergence").toBe(true);
    const first = await until("a verdict", async () => {
      const verdict = await verdictOf(gateway!);
      return verdict.answer !== "none" && verdict;
    });
    expect(first.answer).toBe("notEnough");
    const held = await reach(gateway!, "a person to be asked", ({ status }) => status === "paused");
    expect(held).toMatchObject({ phase: "shifting", share: 50, waitingFor: "continue" });
    expect(held.reason).toMatch(
      /^no proof within 8 s that the new version is not worse \(There is not enough evidence yet\. 0 errors in \d+ requests .*; the share stays at 50 %/,
    );
  });
});
