import { describe, expect, it } from "vitest";
import { compileApp } from "../config/compile-app.ts";
import { bucket } from "./bucket.ts";
import { clientHash } from "./client-key.ts";
import type { Client } from "./client.ts";

const app = compileApp(
  { name: "shop", groups: { a: { servers: ["10.0.0.1"] } }, stickiness: [{ header: "x-user" }], draw: "r1" },
  1,
);

function visitor(user: string | undefined, address: string = "192.0.2.1"): Client {
  return { address, header: () => user, cookie: () => undefined, certificate: () => [] };
}

describe("what a client is counted by", () => {
  it("is its key, whatever else it sends, and the same at every gateway", () => {
    expect(clientHash(app, visitor("ann"))).toBe(2_555_193_821);
    expect(clientHash(app, visitor("ann", "192.0.2.9"))).toBe(clientHash(app, visitor("ann")));
    expect(clientHash(app, visitor("bob"))).not.toBe(clientHash(app, visitor("ann")));
    expect(clientHash(app, visitor(undefined))).toBe(clientHash(app, visitor("")));
    expect(clientHash(app, visitor(undefined, "192.0.2.9"))).not.toBe(clientHash(app, visitor(undefined)));
  });

  it("says nothing of the group that it was drawn to", () => {
    const users = Array.from({ length: 20_000 }, (_, index) => `user${index}`);
    const drawn = users.filter((user) => bucket(app.name, app.draw, user) < 10);
    const parts = [drawn, users.filter((user) => bucket(app.name, app.draw, user) >= 10)].map(
      (some) => some.filter((user) => clientHash(app, visitor(user)) < 2 ** 30).length / some.length,
    );
    for (const part of parts) expect(part).toBeCloseTo(1 / 4, 1);
    expect(users.every((user) => clientHash(app, visitor(user)) > 0)).toBe(true);
  });
});
