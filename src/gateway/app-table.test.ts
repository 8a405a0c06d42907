import { describe, expect, it } from "vitest";
import { AppTable, type RevisedDocument } from "./app-table.ts";

function stored(name: string, revision: number, more: object = {}): RevisedDocument {
  return {
    name,
    revision,
    document: {
      name,
      routes: [{ host: `${name}.test` }],
      groups: { group1: { servers: ["127.0.4.1:1"] }, group2: { servers: ["127.0.4.2:1"] } },
      ...more,
    },
  };
}

describe("AppTable", () => {
  it("finds an app by host and forgets it when it is deleted", () => {
    const table = new AppTable({ value: 0 });
    table.put(stored("a", 1));
    table.put(stored("b", 1));
    expect(table.find("a.test", "/")?.app.name).toBe("a");
    expect(table.find("b.test", "/x?y")?.app.name).toBe("b");
    table.delete("a");
    expect(table.find("a.test", "/")).toBeUndefined();
    expect(table.find("b.test", "/")?.app.name).toBe("b");
  });

  it.each([[["a", "b"]], [["b", "a"]]])(
    "sends a route that two apps claim to the same one, in whatever order they came: %j",
    (names) => {
      const table = new AppTable({ value: 0 });
      for (const name of names) table.put(stored(name, 1, { routes: [{ host: "both.test" }] }));
      expect(table.find("both.test", "/")?.app.name).toBe("a");
      table.delete("a");
      expect(table.find("both.test", "/")?.app.name).toBe("b");
    },
  );

  it("swaps the compiled app as a whole, and leaves the old one to those who hold it", () => {
    const table = new AppTable({ value: 0 });
    table.put(stored("a", 1));
    const before = table.find("a.test", "/");
    table.put(stored("a", 2, { deploy: 1 }));
    const after = table.find("a.test", "/");
    expect(before?.app).toMatchObject({ revision: 1, deploy: 0 });
    expect(after?.app).toMatchObject({ revision: 2, deploy: 1 });
    expect(after?.groupUnderTest?.name).toBe("group1");
  });

  it("keeps servers, pools and the retry budget across a change that leaves them as they are", () => {
    const table = new AppTable({ value: 0 });
    table.put(stored("a", 1, { deploy: 1 }));
    const before = table.get("a")!;
    before.servers.get("127.0.4.1:1")!.failures = 7;
    table.put(stored("a", 2, { deploy: 1, share: 5 }));
    const after = table.get("a")!;
    expect(after).not.toBe(before);
    expect(after.pool("test")).toBe(before.pool("test"));
    expect(after.budget).toBe(before.budget);
    expect(after.servers.get("127.0.4.1:1")?.failures).toBe(7);
  });

  it("makes a new pool when a weight changes, and retires servers that are no longer named", () => {
    const table = new AppTable({ value: 0 });
    table.put(stored("a", 1));
    const before = table.get("a")!;
    table.put(stored("a", 2, { groups: { group1: { weight: 3, servers: ["127.0.4.1:1"] } } }));
    const after = table.get("a")!;
    expect(after.pool("all")).not.toBe(before.pool("all"));
    expect([...after.servers.all()].map(({ server }) => server.id)).toEqual(["127.0.4.1:1"]);
    expect(after.pool("all").members[0]?.server.weight).toBe(3);
  });

  it("holds no more compiled apps than it may, and compiles one again when it is asked for", () => {
    const table = new AppTable({ value: 0 }, 2);
    for (const name of ["a", "b", "c"]) table.put(stored(name, 1));
    const b = table.get("b");
    const c = table.get("c");
    const again = table.get("a");
    expect(again?.app).toMatchObject({ name: "a", revision: 1 });
    expect(table.get("a")).toBe(again);
    // "a" came back, so the oldest of the others went.
    expect(table.get("c")).toBe(c);
    expect(table.get("b")).not.toBe(b);
  });
});
