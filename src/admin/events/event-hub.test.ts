import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventFilter } from "./event-filter.ts";
import { noVerdictYet } from "../verdict-schemas.ts";
import { EventHub, type EventReader } from "./event-hub.ts";
import type { EventType } from "./event-types.ts";

const EVERYTHING: EventFilter = { apps: undefined, types: undefined };
const MIB = 1024 * 1024;

/** A reader that keeps what it is given, and is as far behind as the test says. */
class Reader implements EventReader {
  readonly by = "amy";
  readonly taken: Uint8Array[] = [];
  behind = 0;
  isCut = false;

  mayStay(): boolean {
    return true;
  }

  take(bytes: Uint8Array): void {
    this.taken.push(bytes);
  }

  cut(): void {
    this.isCut = true;
  }

  get text(): string {
    return this.taken.map((bytes) => Buffer.from(bytes).toString()).join("");
  }

  /** The type of each event, and which one it was of those told. */
  get events(): readonly string[] {
    const all = this.text.matchAll(/^id: \w+-\d+\nevent: (\w+)\ndata: (.*)\n\n/gm);
    return Array.from(all, ([, type, data]) => {
      const { revision } = JSON.parse(data!) as { revision?: number };
      return revision === undefined ? type! : `${type} ${revision}`;
    });
  }

  get ids(): readonly string[] {
    return Array.from(this.text.matchAll(/^id: (.*)$/gm), ([, id]) => id!);
  }

  get lastId(): string {
    return this.ids.at(-1)!;
  }
}

let hub: EventHub;
let warnings: unknown[];
let told = 0;
beforeEach(() => {
  told = 0;
  vi.useFakeTimers();
  warnings = [];
  const warn = (told: unknown): void => void warnings.push(told);
  hub = new EventHub({ log: { info: ignore, warn, error: ignore } });
});
afterEach(() => {
  vi.useRealTimers();
});

function ignore(): void {}

function follow(filter: Partial<EventFilter> = {}, lastEventId?: string): Reader & { leave: () => void } {
  const reader = new Reader();
  const leave = hub.follow({ ...EVERYTHING, ...filter }, lastEventId, reader);
  if (leave === undefined) throw new Error("there was no room");
  return Object.assign(reader, { leave });
}

async function tell(app: string, more: object = {}): Promise<void> {
  told += 1;
  hub.publish("app", app, { app, revision: told, by: "amy", what: "put", at: "", ...more });
  await Promise.resolve();
}

async function tellTraffic(app: string): Promise<void> {
  hub.publish("traffic", app, { app, at: "", groups: [] });
  await Promise.resolve();
}

const only = (...types: EventType[]): Partial<EventFilter> => ({ types: new Set(types) });
const about = (...apps: string[]): Partial<EventFilter> => ({ apps: new Set(apps) });

describe("the hub", () => {
  it("gives everyone what they want, and no more", async () => {
    const [all, shop, traffic] = [follow(), follow(about("shop")), follow(only("traffic"))];
    await tell("shop");
    await tell("cart");
    await tellTraffic("shop");
    hub.publish("gateway", undefined, []);
    await Promise.resolve();
    expect(all.events).toEqual(["app 1", "app 2", "traffic", "gateway"]);
    expect(shop.events).toEqual(["app 1", "traffic", "gateway"]);
    expect(traffic.events).toEqual(["traffic"]);
  });

  it("writes an event once for all, and joins those of one moment", async () => {
    const [one, other] = [follow(), follow()];
    await tell("shop");
    expect(one.taken.at(-1)).toBe(other.taken.at(-1));
    void tell("shop");
    void tell("cart");
    await Promise.resolve();
    expect(one.taken.at(-1)).toBe(other.taken.at(-1));
    expect(one.events).toEqual(["app 1", "app 2", "app 3"]);
    // What it begins with, the single one, and two at once.
    expect(one.taken.length - 2).toBe(2);
  });

  it("makes nothing for nobody", async () => {
    const data = { ...noVerdictYet("shop", "r1", "No window yet."), toJSON: vi.fn<() => unknown>() };
    hub.publish("verdict", "shop", data);
    const reader = follow(about("cart"));
    hub.publish("verdict", "shop", data);
    await tell("cart");
    expect(data.toJSON).not.toHaveBeenCalled();
    expect(reader.events).toEqual(["app 1"]);
    expect(hub.isRead("server", "cart")).toBe(true);
    expect(hub.isRead("server", "shop")).toBe(false);
    reader.leave();
    expect(hub.isRead("server", "cart")).toBe(false);
    expect(hub.isAwaited("server", "cart")).toBe(true);
  });

  it("has its sources asked while anyone reads, and only then", () => {
    const turn = vi.fn<() => void>();
    hub.whileRead(turn);
    vi.advanceTimersByTime(10_000);
    expect(turn).not.toHaveBeenCalled();
    const [one, other] = [follow(), follow()];
    vi.advanceTimersByTime(3000);
    expect(turn).toHaveBeenCalledTimes(3);
    one.leave();
    vi.advanceTimersByTime(1000);
    expect(turn).toHaveBeenCalledTimes(4);
    other.leave();
    other.leave();
    vi.advanceTimersByTime(10_000);
    expect(turn).toHaveBeenCalledTimes(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is heard every 15 s, and moves the last id on", async () => {
    const [all, quiet] = [follow(), follow(about("cart"))];
    await tell("shop");
    vi.advanceTimersByTime(15_000);
    expect(Buffer.from(quiet.taken.at(-1)!).toString()).toMatch(/^:\nid: \w+-\d+\n\n$/);
    expect(quiet.lastId).toBe(all.lastId);
    expect(quiet.events).toEqual([]);
  });

  it("takes 200 readers, and another one when one of them has left", () => {
    const readers = Array.from({ length: 200 }, () => follow());
    expect(hub.follow(EVERYTHING, undefined, new Reader())).toBeUndefined();
    readers[0]!.leave();
    expect(hub.follow(EVERYTHING, undefined, new Reader())).toBeDefined();
    expect(hub.follow(EVERYTHING, undefined, new Reader())).toBeUndefined();
  });

  it("cuts off who is too far behind, says so, and goes on with the others", async () => {
    const [slow, other] = [follow(), follow()];
    slow.behind = 4 * MIB;
    await tell("shop");
    expect(slow.isCut).toBe(false);
    slow.behind += 1;
    await tell("shop");
    await tell("shop");
    expect(slow.isCut).toBe(true);
    expect(slow.events).toEqual(["app 1", "app 2"]);
    expect(other.events).toEqual(["app 1", "app 2", "app 3"]);
    expect(warnings).toEqual([{ by: "amy", behind: 4 * MIB + 1 }]);
  });
});

describe("a reader that comes back", () => {
  it("is told first what it has missed, but for what has passed", async () => {
    const [before, cart] = [follow(about("shop")), follow(about("cart"))];
    await tell("shop");
    before.leave();
    await tell("shop");
    await tell("cart");
    await tellTraffic("shop");
    await tell("shop");
    const after = follow(about("shop"), before.lastId);
    await tell("shop");
    expect(cart.events).toEqual(["app 3"]);
    expect(after.events).toEqual(["app 2", "app 4", "app 5"]);
  });

  it("misses nothing that is on its way when it comes", async () => {
    const [before, other] = [follow(), follow()];
    before.leave();
    void tell("shop");
    const after = follow({}, before.lastId);
    void tell("shop");
    await Promise.resolve();
    expect(after.events).toEqual(["app 1", "app 2"]);
    expect(other.events).toEqual(["app 1", "app 2"]);
  });

  it.each([
    ["an id of another life", () => "0badc0de-1"],
    ["an id that was never given", (id: string) => id.replace(/\d+$/, "99")],
    ["something else", () => "42"],
  ])("with %s is told to begin anew", async (_, idOf) => {
    const before = follow();
    await tell("shop");
    const after = follow({}, idOf(before.lastId));
    expect(after.events).toEqual(["reset"]);
    expect(after.lastId).toBe(before.lastId);
    await tell("shop");
    expect(after.events).toEqual(["reset", "app 2"]);
  });

  it.each([
    ["of which 5000 are kept", 5001, {}],
    ["of which 2 MiB are kept", 4, { what: "x".repeat(0.6 * MIB) }],
  ])("after more events, %s, is told to begin anew", async (_, count, more) => {
    const before = follow();
    await tell("shop");
    const early = before.lastId;
    await tell("shop", more);
    const kept = before.lastId;
    for (let n = 1; n < count; n += 1) await tell("shop", more);
    expect(follow({}, early).events).toEqual(["reset"]);
    expect(follow({}, kept).events).toEqual(
      Array.from({ length: count - 1 }, (_, index) => `app ${index + 3}`),
    );
  });

  it("within a minute has missed nothing; after that nobody has kept it", async () => {
    const before = follow(about("shop"));
    before.leave();
    vi.advanceTimersByTime(60_000);
    await tell("shop");
    const after = follow(about("shop"), before.lastId);
    expect(after.events).toEqual(["app 1"]);
    after.leave();
    vi.advanceTimersByTime(60_001);
    await tell("shop");
    expect(follow(about("shop"), after.lastId).events).toEqual(["reset"]);
  });

  it("and wants something else now, is told to begin anew", async () => {
    const before = follow(about("shop"));
    await tell("cart");
    await tell("shop");
    expect(follow(about("shop", "cart"), before.lastId).events).toEqual(["reset"]);
    expect(follow(about("shop"), before.ids[0]).events).toEqual(["app 2"]);
  });

  it("finds its place kept although many others have left since, up to a bound", async () => {
    const before = follow(about("shop"));
    before.leave();
    for (let n = 1; n < 400; n += 1) {
      vi.advanceTimersByTime(1);
      follow(about(`app-${n}`)).leave();
    }
    await tell("shop");
    const after = follow(about("shop"), before.lastId);
    expect(after.events).toEqual(["app 1"]);
    after.leave();
    for (let n = 400; n < 800; n += 1) {
      vi.advanceTimersByTime(1);
      follow(about(`app-${n}`)).leave();
    }
    expect(follow(about("shop"), after.lastId).events).toEqual(["reset"]);
  });
});
