import { describe, expect, it, onTestFinished } from "vitest";
import { type Backend, startBackends } from "./harness/backend.ts";
import { ask } from "./harness/client.ts";
import { environmentOf, runCli } from "./harness/cli.ts";
import { type HalftoneProcess, startHalftone } from "./harness/halftone-process.ts";
import { openScene, type Scene } from "./harness/scene.ts";
import { until } from "./harness/until.ts";

const SERVERS = ["127.0.4.71", "127.0.4.72"] as const;

async function startShop(
  scene: Scene,
  more: object = {},
  workers: number = 2,
): Promise<{ halftone: HalftoneProcess; backends: readonly Backend[] }> {
  const backends = await startBackends(scene, SERVERS);
  const halftone = await startHalftone(scene, { gateway: { workers } });
  await halftone.put("shop", {
    name: "shop",
    port: backends[0]!.port,
    groups: { blue: { servers: [SERVERS[0]] }, green: { servers: [SERVERS[1]] } },
    ...more,
  });
  return { halftone, backends };
}

function idle(halftone: HalftoneProcess, wait: string) {
  return runCli(["idle", "shop", "blue", "--wait", wait], {
    cwd: halftone.site.folder,
    env: environmentOf(halftone),
  });
}

describe("halftone idle", () => {
  it("says no while a request is in flight, and yes when it has ended", async () => {
    const scene = openScene(onTestFinished);
    const { halftone, backends } = await startShop(scene, { deploy: 2 });
    const [blue] = backends as [Backend, Backend];
    let answer: (() => void) | undefined;
    blue.handler = (_request, response) => void (answer = () => response.end("late"));
    const slow = ask({ port: halftone.gatewayPort });
    await until("the request to be with blue", () => answer !== undefined);

    await halftone.api("PUT", "/apps/shop/deploy", { deploy: 1, testing: false });
    const busy = await idle(halftone, "0s");
    expect(busy.code).toBe(1);
    expect(busy.stderr).toMatch(/blue of app shop is not idle at revision 2: .*: 1 in flight/);
    const waiting = idle(halftone, "10s");
    answer!();
    expect((await slow).text).toBe("late");
    expect(await waiting).toMatchObject({
      code: 0,
      stdout: "blue of shop is idle: its servers may be restarted\n",
    });
    blue.handler = undefined;
    for (let n = 0; n < 10; n += 1)
      expect((await ask({ port: halftone.gatewayPort })).servedBy).toBe(SERVERS[1]);
  });

  it.each([
    [{}, /takes clients: it is not under test/],
    [{ deploy: 1, share: 5 }, /takes 5 % of the clients/],
    [{ deploy: 1, testers: ["127.0.0.9"] }, /takes testers \(halftone deploy NAME K --closed/],
  ])("says no of a group that takes somebody: %j", async (more, reason) => {
    const scene = openScene(onTestFinished);
    const { halftone } = await startShop(scene, more);
    const answer = await halftone.api("GET", "/apps/shop/groups/blue/idle");
    expect(answer).toMatchObject({ status: 409, body: { type: "urn:halftone:problem:not-idle" } });
    expect((answer.body as { detail: string }).detail).toMatch(reason);
    expect((await halftone.api("GET", "/apps/shop/groups/red/idle")).status).toBe(404);
  });

  it("says yes of a group that stands by", async () => {
    const scene = openScene(onTestFinished);
    const { halftone } = await startShop(scene, { standby: ["blue"] });
    expect(await idle(halftone, "10s")).toMatchObject({ code: 0 });
    for (let n = 0; n < 10; n += 1)
      expect((await ask({ port: halftone.gatewayPort })).servedBy).toBe(SERVERS[1]);
  });
});

describe("a try after a change", () => {
  it("does not go to a group that takes nobody any more", async () => {
    const scene = openScene(onTestFinished);
    const { halftone, backends } = await startShop(scene, {}, 1);
    const [blue, green] = backends as [Backend, Backend];
    let cut: (() => void) | undefined;
    green.handler = (request) => void (cut ??= () => request.socket.destroy());
    blue.handler = (_request, response) => void response.end("blue");
    // Taken in by green; blue would be next by the document that the request began with.
    const requests = [ask({ port: halftone.gatewayPort }), ask({ port: halftone.gatewayPort })];
    await until("a request to be with green", () => cut !== undefined);
    await halftone.api("PUT", "/apps/shop/deploy", { deploy: 1, testing: false });
    const before = blue.taken.length;
    green.handler = undefined;
    cut!();
    await Promise.all(requests);
    expect(blue.taken.length).toBe(before);
  });
});
