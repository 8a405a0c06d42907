import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AddressSet, App, Group } from "./app.ts";
import { bucket } from "./bucket.ts";
import { clientKeyOf } from "./client-key.ts";
import { reselect, select, type Client } from "./select.ts";

const group = (name: string, ...ids: string[]): Group => ({
  name,
  standby: false,
  servers: ids.map((id) => ({ id, weight: 1, target: { kind: "ip", host: id, port: 80 } })),
});

const addresses = (...entries: string[]): AddressSet => ({
  size: entries.length,
  match: (address) => entries.find((entry) => entry === address),
});

const app = (changes: Partial<App> = {}): App => ({
  name: "shop",
  revision: 1,
  draw: "r1",
  routes: [{ host: "*", path: "/" }],
  tls: false,
  groups: [group("group1", "10.0.4.175"), group("group2", "10.0.4.146")],
  deploy: 1,
  testing: true,
  share: 0,
  testers: { addresses: addresses(), rules: [] },
  stickiness: [{ kind: "address" }],
  balance: "roundRobin",
  health: { maxFails: 1, dieTime: 10_000, maxDieTime: 300_000, slowStart: 0 },
  check: undefined,
  retry: { tries: 2, budget: 20, budgetFloor: 3, on: [] },
  proxyProtocol: undefined,
  testersFallBack: false,
  emergencySpill: false,
  upgrades: ["websocket"],
  expose: false,
  tally: undefined,
  ...changes,
});

describe("reselect", () => {
  const tester = {
    pool: "test",
    rule: { kind: "tester", by: "address", entry: "10.0.0.9" },
    client: 0,
  } as const;
  const drawn = (bucket: number | undefined) =>
    ({ pool: "test", rule: { kind: "share", share: 50, bucket, key: "address" }, client: 7 }) as const;

  it("never leads to a group that takes nobody any more", () => {
    for (const before of [tester, drawn(3), drawn(undefined)]) {
      expect(reselect(app({ testing: false }), before).pool).toBe("rest");
    }
  });

  it("goes by what decided before", () => {
    expect(reselect(app({ share: 10 }), tester).pool).toBe("test");
    expect(reselect(app({ share: 10 }), drawn(3)).pool).toBe("test");
    expect(reselect(app({ share: 10 }), drawn(10)).pool).toBe("rest");
    expect(reselect(app({ share: 10 }), { pool: "all", rule: { kind: "everybody" }, client: 0 }).pool).toBe(
      "rest",
    );
    expect(reselect(app({ share: 100 }), drawn(99)).pool).toBe("test");
    expect(reselect(app({ deploy: 0 }), drawn(3)).pool).toBe("all");
  });
});

interface Carried {
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly certificate?: Readonly<Record<string, readonly string[]>>;
}

const client = ({
  address = "192.0.2.1",
  headers = {},
  cookies = {},
  certificate = {},
}: Carried = {}): Client => ({
  address,
  header: (name) => headers[name],
  cookie: (name) => cookies[name],
  certificate: (attribute) => certificate[attribute] ?? [],
});

/** A client that fails the test when anything of it is looked at. */
const unseen: Client = {
  get address(): string {
    throw new Error("address was read");
  },
  header: () => {
    throw new Error("a header was read");
  },
  cookie: () => {
    throw new Error("a cookie was read");
  },
  certificate: () => {
    throw new Error("the certificate was read");
  },
};

const testers = {
  addresses: addresses("10.0.0.111"),
  rules: [
    { kind: "header", name: "x-tester", equals: "1" },
    { kind: "cookie", name: "beta", equals: "yes" },
    { kind: "certificate", name: "OU", equals: "QA" },
  ],
} as const;

describe("select", () => {
  it("merges all groups while nothing is being updated, without a look at the client", () => {
    const quiet = app({ deploy: 0, share: 50, testers });
    expect(select(quiet, unseen)).toEqual({ pool: "all", rule: { kind: "everybody" }, client: 0 });
    expect(select(quiet, unseen)).toBe(select(quiet, unseen));
  });

  it("sends testers by address, header, cookie or certificate to the group under test", () => {
    const tested = app({ testers });
    const ruleFor = (carried: Carried): unknown => select(tested, client(carried));
    expect(ruleFor({ address: "10.0.0.111" })).toEqual({
      pool: "test",
      rule: { kind: "tester", by: "address", entry: "10.0.0.111" },
      client: 0,
    });
    expect(ruleFor({ headers: { "x-tester": "1" } })).toEqual({
      pool: "test",
      rule: { kind: "tester", by: "header", name: "x-tester" },
      client: 0,
    });
    expect(ruleFor({ cookies: { beta: "yes" } })).toEqual({
      pool: "test",
      rule: { kind: "tester", by: "cookie", name: "beta" },
      client: 0,
    });
    expect(ruleFor({ certificate: { OU: ["Sales", "QA"] } })).toEqual({
      pool: "test",
      rule: { kind: "tester", by: "certificate", name: "OU" },
      client: 0,
    });
  });

  it("takes nobody for a tester who carries another value, or the value in another place", () => {
    const tested = app({ testers });
    for (const carried of [
      { headers: { "x-tester": "2" } },
      { cookies: { "x-tester": "1" } },
      { headers: { beta: "yes" } },
      { certificate: { OU: ["QA and others"], O: ["QA"] } },
      {},
    ]) {
      expect(select(tested, client(carried)).pool).toBe("rest");
    }
  });

  it("sends the public to the others at share 0, the original's behaviour", () => {
    expect(select(app(), client())).toEqual({
      pool: "rest",
      rule: { kind: "public", share: 0, bucket: undefined, key: undefined, closed: false },
      client: 0,
    });
  });

  it("tells clients apart by another number than the one they are drawn by, while a release has them counted", () => {
    const tally = { release: "r1", window: 10_000, slower: undefined };
    const hashes = Array.from({ length: 2000 }, (_, n) => {
      const { client: hash, pool } = select(
        app({ share: 50 }),
        client({ address: `10.1.${n >> 8}.${n & 255}` }),
      );
      return { hash, pool };
    });
    expect(new Set(hashes.map(({ hash }) => hash)).size).toBe(2000);
    // Half of all numbers are low ones, on either side of the draw.
    for (const side of ["test", "rest"]) {
      const low = hashes.filter(({ hash, pool }) => pool === side && hash < 2 ** 30).length;
      expect(low / hashes.filter(({ pool }) => pool === side).length).toBeCloseTo(0.5, 1);
    }
    expect(select(app({ deploy: 0 }), client()).client).toBe(0);
    const merging = select(app({ deploy: 0, tally }), client());
    expect(merging.client).toBe(select(app({ share: 50 }), client()).client);
    expect(reselect(app({ share: 10 }), merging).client).toBe(merging.client);
  });

  it("sends everybody to the group under test at share 100", () => {
    expect(select(app({ share: 100 }), client())).toMatchObject({ pool: "test", rule: { kind: "share" } });
  });

  it("lets nobody at all into a group that is closed, whatever the share", () => {
    const closed = app({ testers, testing: false, share: 100 });
    for (const carried of [{ address: "10.0.0.111" }, { headers: { "x-tester": "1" } }, {}]) {
      expect(select(closed, client(carried))).toMatchObject({
        pool: "rest",
        rule: { kind: "public", closed: true },
      });
    }
  });

  it("says what the draw was made from", () => {
    const drawn = app({ share: 50, stickiness: [{ kind: "cookie", name: "uid" }, { kind: "address" }] });
    const place = bucket("shop", "r1", "u1");
    expect(select(drawn, client({ cookies: { uid: "u1" } })).rule).toMatchObject({
      bucket: place,
      key: "cookie uid",
    });
    expect(select(drawn, client()).rule).toMatchObject({
      bucket: bucket("shop", "r1", "192.0.2.1"),
      key: "address",
    });
  });

  it("draws exactly the clients whose bucket is below the share", () => {
    const hundredth = fc.integer({ min: 1, max: 9999 });
    fc.assert(
      fc.property(hundredth, fc.ipV4(), (hundredths, address) => {
        const share = hundredths / 100;
        const { pool } = select(app({ share }), client({ address }));
        expect(pool).toBe(bucket("shop", "r1", address) < share ? "test" : "rest");
      }),
    );
  });

  it("only ever moves clients towards the group under test when the share rises", () => {
    const shares = fc.tuple(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 10_000 }));
    fc.assert(
      fc.property(shares, fc.ipV4(), ([a, b], address) => {
        const [low, high] = [Math.min(a, b) / 100, Math.max(a, b) / 100];
        const before = select(app({ share: low }), client({ address })).pool;
        const after = select(app({ share: high }), client({ address })).pool;
        expect(before === "test" && after === "rest").toBe(false);
      }),
    );
  });

  it("keeps a client where it is when only the address changes under a cookie", () => {
    const drawn = app({ share: 50, stickiness: [{ kind: "cookie", name: "uid" }, { kind: "address" }] });
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.string({ minLength: 1 }), (here, there, uid) => {
        const cookies = { uid };
        expect(select(drawn, client({ address: here, cookies }))).toEqual(
          select(drawn, client({ address: there, cookies })),
        );
      }),
    );
  });
});

describe("clientKeyOf", () => {
  const sources = [
    { kind: "cookie", name: "uid" },
    { kind: "header", name: "x-user-id" },
  ] as const;

  it("is the first of the sources the request carries, else the address", () => {
    const sticky = app({ stickiness: sources });
    const both = { cookies: { uid: "c" }, headers: { "x-user-id": "h" } };
    expect(clientKeyOf(sticky, client(both))).toBe("c");
    expect(clientKeyOf(sticky, client({ headers: both.headers }))).toBe("h");
    expect(clientKeyOf(sticky, client())).toBe("192.0.2.1");
  });

  it("takes an empty value for none, as it would make one client of many", () => {
    expect(clientKeyOf(app({ stickiness: sources }), client({ cookies: { uid: "" } }))).toBe("192.0.2.1");
  });
});
