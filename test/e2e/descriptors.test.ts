import { connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { startBackend } from "./harness/backend.ts";
import { ask } from "./harness/client.ts";
import { createSite } from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";
import { until } from "./harness/until.ts";

/** Of open files; with much less the program's own cannot be loaded. */
const LIMIT = 400;
const CLIENTS = 390;

/** A connection that asks and stays; resolves to the first line of its answer, "" when it is closed without one. */
async function holdOpen(port: number, held: Socket[]): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  held.push(socket);
  return await new Promise((resolve) => {
    socket.on("connect", () => socket.write("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"));
    socket.on("data", (chunk) => resolve(chunk.toString("latin1").split("\r\n")[0]!));
    socket.on("error", () => resolve(""));
    socket.on("close", () => resolve(""));
  });
}

it("a worker short of descriptors turns connections away in words, answers its admin, and recovers", async () => {
  const scene = openScene(onTestFinished);
  const backend = await startBackend(scene, "127.0.4.57");
  const site = await createSite(scene);
  const halftone = await site.start({ openFiles: LIMIT });
  await halftone.put("shop", { name: "shop", groups: { only: { servers: [`127.0.4.57:${backend.port}`] } } });

  const held: Socket[] = [];
  scene.defer(() => {
    for (const socket of held) socket.destroy();
  });
  const answers: string[] = [];
  for (let i = 0; i < CLIENTS; i++) answers.push(await holdOpen(halftone.gatewayPort, held));
  const served = answers.filter((line) => line === "HTTP/1.1 200 OK").length;
  expect(answers.filter((line) => line === "HTTP/1.1 503 Service Unavailable").length).toBe(CLIENTS - served);
  expect(served).toBeGreaterThan(LIMIT / 4);
  expect(served).toBeLessThan(LIMIT / 2);

  const servers = await halftone.servers("shop");
  expect([...servers.values()].map(({ failures }) => failures)).toEqual([0]);
  for (const socket of held) socket.destroy();
  await until("a request to be served again", async () => {
    const answer = await ask({ port: halftone.gatewayPort });
    return answer.status === 200;
  });
  expect(halftone.workers().length).toBe(1);
});
