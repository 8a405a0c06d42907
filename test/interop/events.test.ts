import { expect, it, onTestFinished } from "vitest";
import type { AppEvent } from "../../src/admin/events/event-types.ts";
import { FollowedStream } from "../admin/followed-stream.ts";
import { runAdmin, TEST_TOKEN } from "../admin/running-admin.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { startNginx } from "./harness/nginx.ts";

const SHOP = { name: "shop", groups: { blue: { servers: ["10.0.0.1"] }, green: { servers: ["10.0.0.2"] } } };

it("events come through nginx as it is set up by itself, one by one, and end with the gateway", async () => {
  const scene = openScene(onTestFinished);
  const admin = await runAdmin();
  let isStopped = false;
  scene.defer(() => (isStopped ? undefined : admin.stop()));
  const { address } = await startNginx(scene, "127.0.4.83", `location / { proxy_pass ${admin.url}; }`);
  const stream = await FollowedStream.open(`http://${address}/api/v1/events`, TEST_TOKEN);
  scene.defer(() => stream.close());
  expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
  for (const by of ["amy", "ben"]) {
    await admin.store.put("shop", SHOP, "any", by);
    await stream.next<AppEvent>("app", (data) => data.by === by);
  }
  isStopped = true;
  await admin.stop();
  expect(await stream.ended).toBe("in order");
});
