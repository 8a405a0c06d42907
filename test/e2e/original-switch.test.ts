import { beforeAll, afterAll, describe, expect, it } from "vitest";
import { startBackends } from "./harness/backend.ts";
import { type Answer, ask, countBy, keepAlive } from "./harness/client.ts";
import { type HalftoneProcess, revisionOf, startHalftone } from "./harness/halftone-process.ts";
import { openScene, type Scene } from "./harness/scene.ts";

const GROUP1 = ["127.0.4.175", "127.0.4.176"];
const GROUP2 = ["127.0.4.146", "127.0.4.147"];
const TESTER = "127.0.0.111";
const PUBLIC = ["127.0.0.50", "127.0.0.51", "127.0.0.52"];

/** The original's own document, moved to loopback addresses, with the port of our backends. */
function original(port: number, more: Readonly<Record<string, unknown>> = {}): object {
  return {
    image: "my_object",
    testiplist: ["10.0.0.111", TESTER],
    weight: { group1: "10", group2: "10" },
    deploy: "0",
    group1: GROUP1,
    group2: GROUP2,
    port,
    ...more,
  };
}

/** Ten requests each. */
function half(servers: readonly string[]): object {
  return Object.fromEntries(servers.map((server) => [server, 10]));
}

async function startOriginal(
  scene: Scene,
  more: Readonly<Record<string, unknown>> = {},
): Promise<HalftoneProcess> {
  const [backend] = await startBackends(scene, [...GROUP1, ...GROUP2]);
  const halftone = await startHalftone(scene, { gateway: { trustedProxies: ["127.0.0.60"] } });
  await halftone.put("my_object", original(backend!.port, more));
  return halftone;
}

describe("the original's switch", () => {
  const scene = openScene(afterAll);
  let halftone: HalftoneProcess;

  beforeAll(async () => {
    halftone = await startOriginal(scene);
  });

  async function serversOf(from: string, requests: number = 20, headers: Record<string, string> = {}) {
    const answers: Answer[] = [];
    const agent = keepAlive(scene);
    for (let n = 0; n < requests; n++) {
      answers.push(await ask({ port: halftone.gatewayPort, from, headers, agent }));
    }
    expect(countBy(answers, (answer) => String(answer.status))).toEqual({ 200: requests });
    return countBy(answers, (answer) => answer.servedBy);
  }

  it("0: all servers of both groups take their part", async () => {
    await halftone.deploy("my_object", 0);
    const [group1a, group1b] = GROUP1;
    const [group2a, group2b] = GROUP2;
    expect(await serversOf(PUBLIC[0]!, 40)).toEqual({
      [group1a!]: 10,
      [group1b!]: 10,
      [group2a!]: 10,
      [group2b!]: 10,
    });
  });

  it.each([
    { deploy: 1, tested: GROUP1, serving: GROUP2 },
    { deploy: 2, tested: GROUP2, serving: GROUP1 },
  ])("$deploy: testers reach $tested, everybody else $serving", async ({ deploy, tested, serving }) => {
    await halftone.deploy("my_object", deploy);
    expect(await serversOf(TESTER)).toEqual(half(tested));
    for (const client of PUBLIC) expect(await serversOf(client)).toEqual(half(serving));
  });

  it.each([3, "x", -1, 1.5, null])("%j: refused, and nothing changes", async (deploy) => {
    await halftone.deploy("my_object", 1);
    const before = await halftone.api("GET", "/apps/my_object");

    const refused = await halftone.api("PUT", "/apps/my_object/deploy", { deploy });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ problems: [{ path: "deploy" }] });

    const whole = await halftone.api(
      "PUT",
      "/apps/my_object",
      { ...(before.body as object), deploy },
      { "if-match": "*" },
    );
    expect(whole.status).toBe(422);

    const after = await halftone.api("GET", "/apps/my_object");
    expect(after.body).toEqual(before.body);
    expect(revisionOf(after)).toBe(revisionOf(before));
    expect(Object.keys(await serversOf(PUBLIC[0]!)).sort()).toEqual([...GROUP2].sort());
  });

  it("a forged X-Forwarded-For makes nobody a tester", async () => {
    await halftone.deploy("my_object", 1);
    const served = await serversOf(PUBLIC[0]!, 20, { "x-forwarded-for": TESTER });
    expect(Object.keys(served).sort()).toEqual([...GROUP2].sort());
  });

  it("a trusted proxy is believed: its client is the right-most address that is not itself trusted", async () => {
    await halftone.deploy("my_object", 1);
    const proxy = "127.0.0.60";
    const group = async (forwardedFor: string) =>
      Object.keys(await serversOf(proxy, 4, { "x-forwarded-for": forwardedFor })).sort();
    expect(await group(TESTER)).toEqual([...GROUP1].sort());
    expect(await group(`${TESTER}, ${proxy}`)).toEqual([...GROUP1].sort());
    expect(await group(`${TESTER}, 203.0.113.9`)).toEqual([...GROUP2].sort());
  });
});

describe("the share", () => {
  const scene = openScene(afterAll);
  const CLIENTS = Array.from({ length: 400 }, (_, n) => `user-${n}`);

  it("moves clients only forwards, and each stays where it is from request to request", async () => {
    const halftone = await startOriginal(scene, { stickiness: [{ header: "x-user-id" }] });
    const agent = keepAlive(scene, 8);
    /** The clients that a server of group 1, the one under test, answers. */
    const onNew = async (): Promise<ReadonlySet<string>> => {
      const answers = await Promise.all(
        CLIENTS.map((user) =>
          ask({ port: halftone.gatewayPort, from: PUBLIC[0]!, headers: { "x-user-id": user }, agent }),
        ),
      );
      expect(answers.every((answer) => answer.status === 200)).toBe(true);
      return new Set(CLIENTS.filter((_, n) => GROUP1.includes(answers[n]!.servedBy)));
    };

    await halftone.deploy("my_object", 1);
    expect((await onNew()).size).toBe(0);

    await halftone.deploy("my_object", 1, 25);
    const quarter = await onNew();
    // 400 draws of 25 %: mean 100, standard deviation 8.7.
    expect(quarter.size).toBeGreaterThan(65);
    expect(quarter.size).toBeLessThan(135);
    for (let round = 0; round < 3; round++) expect(await onNew()).toEqual(quarter);

    await halftone.deploy("my_object", 1, 60);
    const most = await onNew();
    expect([...quarter].filter((user) => !most.has(user))).toEqual([]);
    expect(most.size).toBeGreaterThan(200);
    expect(most.size).toBeLessThan(280);

    await halftone.deploy("my_object", 1, 100);
    expect((await onNew()).size).toBe(CLIENTS.length);

    await halftone.deploy("my_object", 0);
    const spread = await onNew();
    expect(spread.size).toBeGreaterThan(0);
    expect(spread.size).toBeLessThan(CLIENTS.length);
  });
});
