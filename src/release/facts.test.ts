import { describe, expect, it } from "vitest";
import type { AppDocument } from "../config/app-document.ts";
import type { ServerStatus } from "../gateway/server-status.ts";
import { gatherFacts } from "./facts.ts";

const DOCUMENT: AppDocument = {
  name: "shop",
  groups: { one: { servers: ["10.0.0.1:80"] }, two: { servers: ["10.0.0.2:80"] } },
};
const NOW = 1_700_000_000_000;

function status(server: string, more: Partial<ServerStatus> = {}): ServerStatus {
  const counts = { inFlight: 0, requests: 0, failures: 0, lastError: null };
  return { app: "shop", group: "", server, weight: 1, deadUntil: null, healthy: true, ...counts, ...more };
}

function liveOf(...statuses: readonly ServerStatus[]): Promise<readonly (number | undefined)[]> {
  const sources = { servers: () => Promise.resolve(statuses), rate: () => Promise.resolve(1) };
  return gatherFacts(sources, DOCUMENT, undefined, NOW).then(({ groups }) =>
    ["one", "two"].map((name) => groups[name]?.live),
  );
}

describe("whether a server lives", () => {
  it("is what its die time and its checks say", async () => {
    expect(await liveOf(status("10.0.0.1:80"), status("10.0.0.2:80"))).toEqual([1, 1]);
    expect(await liveOf(status("10.0.0.1:80", { deadUntil: NOW + 1 }))).toEqual([0, 1]);
    expect(await liveOf(status("10.0.0.2:80", { healthy: false }))).toEqual([1, 0]);
  });

  // Nobody is sent to a group that is being updated, so that no request could find it alive again.
  it("is not denied for ever by a death from before the update", async () => {
    expect(await liveOf(status("10.0.0.1:80", { deadUntil: NOW }))).toEqual([1, 1]);
  });
});

describe("a server in quarantine", () => {
  it("counts as weight that its group has, and that does not live", async () => {
    const servers = ["10.0.0.1", { address: "10.0.0.2", weight: 3 }, "unix:/run/app.sock"];
    const document: AppDocument = {
      ...DOCUMENT,
      groups: { one: { weight: 2, servers }, two: { servers: ["10.0.0.9"] } },
      ramp: { one: 10 },
      quarantine: ["10.0.0.2:80", "unix:/run/app.sock"],
    };
    const ids = ["10.0.0.1:80", "10.0.0.2:80", "unix:/run/app.sock", "10.0.0.9:80"];
    const sources = {
      servers: () => Promise.resolve(ids.map((id) => status(id))),
      rate: () => Promise.resolve(1),
    };
    const { groups } = await gatherFacts(sources, document, undefined, NOW);
    expect(groups).toEqual({
      one: { weight: 7, liveWeight: 2, servers: 3, live: 1 },
      two: { weight: 1, liveWeight: 1, servers: 1, live: 1 },
    });
  });
});
