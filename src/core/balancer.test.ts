import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Balancer } from "./balancer.ts";
import { HashRing } from "./hash-ring.ts";
import { LeastConnections } from "./least-connections.ts";
import { RoundRobin } from "./round-robin.ts";

/** What every balancer owes its pool. `inFlight` is what it may see of the servers' load. */
type Make = (weights: readonly number[], inFlight: { inFlight: number }[]) => Balancer;

const kinds: readonly (readonly [string, Make])[] = [
  ["RoundRobin", (weights) => new RoundRobin(weights)],
  ["LeastConnections", (weights, servers) => new LeastConnections(servers, weights)],
  ["HashRing", (weights) => new HashRing(ids(weights.length), weights)],
];

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `10.0.4.${n}:80`);
const idle = (count: number): { inFlight: number }[] =>
  Array.from({ length: count }, () => ({ inFlight: 0 }));
const indices = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const NONE: readonly number[] = [];

function counts(balancer: Balancer, size: number, picks: number): number[] {
  const counts = Array.from({ length: size }, () => 0);
  for (let pick = 0; pick < picks; pick++) counts[balancer.next(`client-${pick}`, NONE)]!++;
  return counts;
}

describe.each(kinds)("%s as a balancer", (_, make) => {
  const pools = fc
    .array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 150 })
    .chain((weights) =>
      fc.tuple(
        fc.constant(weights),
        fc.subarray(indices(weights.length)),
        fc.array(fc.nat(5), { minLength: weights.length }),
      ),
    );

  it("chooses only what is offered and not to be skipped, and -1 only when nothing is left", () => {
    fc.assert(
      fc.property(pools, fc.array(fc.string()), ([weights, offered, loads], keys) => {
        const servers = weights.map((_, index) => ({ inFlight: loads[index]! }));
        const balancer = make(weights, servers);
        balancer.offer(offered);
        for (const key of keys) {
          const skip: number[] = [];
          for (let tries = 0; tries < 4 && tries < offered.length; tries++) {
            const index = balancer.next(key, skip);
            expect(offered).toContain(index);
            expect(skip).not.toContain(index);
            skip.push(index);
          }
          if (skip.length === offered.length) expect(balancer.next(key, skip)).toBe(-1);
        }
      }),
    );
  });

  it("has nobody before anything is offered", () => {
    expect(make([1, 1], idle(2)).next("key", NONE)).toBe(-1);
  });

  it("finds the last one left in a large pool", () => {
    const balancer = make(
      Array.from({ length: 200 }, () => 10),
      idle(200),
    );
    balancer.offer(indices(200));
    const skip = indices(200).filter((index) => index !== 137);
    expect(balancer.next("key", skip)).toBe(137);
  });

  it("spreads by weight", () => {
    const weights = [10, 20, 30, 40];
    const balancer = make(weights, idle(4));
    balancer.offer(indices(4));
    for (const [index, count] of counts(balancer, 4, 20_000).entries()) {
      expect(Math.abs(count / 200 - weights[index]!)).toBeLessThan(weights[index]! * 0.2);
    }
  });
});

describe("RoundRobin", () => {
  it("goes on where it was when a server dies or comes back", () => {
    const balancer = new RoundRobin([1, 1, 1, 1, 1]);
    balancer.offer([0, 1, 2, 3, 4]);
    const picks = [balancer.next("", NONE), balancer.next("", NONE)];
    balancer.offer([0, 1, 3, 4]);
    for (let n = 0; n < 3; n++) picks.push(balancer.next("", NONE));
    balancer.offer([0, 1, 2, 3, 4]);
    for (let n = 0; n < 5; n++) picks.push(balancer.next("", NONE));
    expect(picks).toEqual([0, 1, 3, 4, 0, 1, 2, 3, 4, 0]);
  });

  it("starves nobody when health changes more often than the turns go round", () => {
    const balancer = new RoundRobin(Array.from({ length: 100 }, () => 1));
    const all = indices(100);
    const counts = Array.from({ length: 100 }, () => 0);
    for (let pick = 0; pick < 1000; pick++) {
      if (pick % 3 === 0) balancer.offer(pick % 2 === 0 ? all : all.slice(1));
      counts[balancer.next("", NONE)]!++;
    }
    for (const count of counts.slice(1)) expect(count).toBeGreaterThanOrEqual(9);
  });

  it("gives exact shares with a thousand different weights", () => {
    const weights = indices(1000).map((index) => index + 1);
    const balancer = new RoundRobin(weights);
    balancer.offer(indices(1000));
    expect(counts(balancer, 1000, (1000 * 1001) / 2)).toEqual(weights);
  });

  it("finds the light servers when the heavy one is skipped", () => {
    const balancer = new RoundRobin([10_000, 1, 1]);
    balancer.offer([0, 1, 2]);
    const found = new Set(Array.from({ length: 10 }, () => balancer.next("", [0])));
    expect(found).toEqual(new Set([1, 2]));
  });
});

describe("LeastConnections", () => {
  it("takes the server with the fewest requests in flight by its weight", () => {
    const servers = [{ inFlight: 3 }, { inFlight: 5 }, { inFlight: 2 }];
    const balancer = new LeastConnections(servers, [1, 2, 1]);
    balancer.offer([0, 1, 2]);
    expect(balancer.next("", NONE)).toBe(2);
    servers[2]!.inFlight = 4;
    expect(balancer.next("", NONE)).toBe(1);
  });

  it("takes turns by weight among equals, as nginx does", () => {
    const balancer = new LeastConnections(idle(3), [5, 1, 1]);
    balancer.offer([0, 1, 2]);
    expect(Array.from({ length: 7 }, () => balancer.next("", NONE))).toEqual([0, 0, 1, 0, 2, 0, 0]);
  });

  it("compares other servers of a large pool with each pick, so that none is left out", () => {
    const balancer = new LeastConnections(
      idle(100),
      Array.from({ length: 100 }, () => 1),
    );
    balancer.offer(indices(100));
    for (const count of counts(balancer, 100, 1000)) expect(Math.abs(count - 10)).toBeLessThan(7);
  });

  it("keeps a large pool level under requests that end in any order", () => {
    const servers = idle(500);
    const balancer = new LeastConnections(
      servers,
      Array.from({ length: 500 }, () => 1),
    );
    balancer.offer(indices(500));
    for (let request = 0; request < 5000; request++) servers[balancer.next("", NONE)]!.inFlight++;
    expect(Math.max(...servers.map((server) => server.inFlight))).toBeLessThanOrEqual(11);
  });
});

describe("HashRing", () => {
  const clients = Array.from({ length: 5000 }, (_, n) => `client-${n}`);

  const owners = (
    ids: readonly string[],
    weights: readonly number[],
    offered: readonly number[],
  ): string[] => {
    const ring = new HashRing(ids, weights);
    ring.offer(offered);
    return clients.map((client) => ids[ring.next(client, NONE)]!);
  };

  it("moves only the clients of the server that dies, and spreads them over the others", () => {
    const before = owners(
      ids(8),
      Array.from({ length: 8 }, () => 10),
      indices(8),
    );
    const after = owners(
      ids(8),
      Array.from({ length: 8 }, () => 10),
      indices(8).filter((index) => index !== 3),
    );
    const heirs = new Set<string>();
    for (const [client, owner] of before.entries()) {
      if (owner === "10.0.4.3:80") heirs.add(after[client]!);
      else expect(after[client]).toBe(owner);
    }
    expect(heirs.size).toBe(7);
  });

  it("moves only those clients too when a document drops a server, or lists them in another order", () => {
    const all = ids(8);
    const weights = [10, 10, 10, 20, 10, 20, 10, 10];
    const before = owners(all, weights, indices(8));
    const order = [7, 5, 0, 1, 2, 4, 6];
    const after = owners(
      order.map((index) => all[index]!),
      order.map((index) => weights[index]!),
      indices(7),
    );
    for (const [client, owner] of before.entries()) {
      if (owner !== all[3]) expect(after[client]).toBe(owner);
    }
  });

  it("keeps its choices for ever: gateways of other versions must agree", () => {
    const ring = new HashRing(ids(4), [10, 10, 10, 10]);
    ring.offer(indices(4));
    expect(["a", "b", "c", "d", "e", "f"].map((key) => ring.next(key, NONE))).toEqual([1, 0, 3, 1, 2, 2]);
  });
});
