import { createServer as createHttpServer, type RequestListener, type ServerResponse } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { runAdmin, TEST_TOKEN, type RunningAdmin } from "../../../test/admin/running-admin.ts";
import { until } from "../../../test/e2e/harness/until.ts";
import { FakeTime } from "../../release/time.fixture.ts";
import { AdminClient } from "../admin-client.ts";
import { CliFailure } from "../cli-failure.ts";
import { type Followed, followedEvents } from "./followed-events.ts";

const SHOP = { name: "shop", groups: { blue: { servers: ["10.0.0.1"] }, green: { servers: ["10.0.0.2"] } } };

let admin: RunningAdmin;
beforeEach(async () => {
  admin = await runAdmin();
});
afterEach(() => admin.stop());

function clientOf(url: string, token: string = TEST_TOKEN): Promise<AdminClient> {
  const out = { write: () => true };
  return AdminClient.open(
    { env: {}, stdin: Readable.from([]), stdout: out, stderr: out },
    { admin: url, token },
  );
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A way to the gateway that can be interrupted. */
class Way {
  url = "";
  private readonly sockets = new Set<Socket>();
  private isOpen = true;

  static async open(): Promise<Way> {
    const way = new Way();
    const server = createServer((near) => {
      if (!way.isOpen) {
        near.destroy();
        return;
      }
      const far = connect(Number(new URL(admin.url).port), "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        way.sockets.add(one);
        one.on("error", () => {}).on("close", () => other.destroy());
        one.pipe(other);
      }
    });
    way.url = await listening(server);
    onTestFinished(() => way.cut());
    return way;
  }

  cut(): void {
    this.isOpen = false;
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }

  mend(): void {
    this.isOpen = true;
  }
}

interface FollowOptions {
  readonly token?: string;
  readonly path?: string;
  readonly time?: FakeTime;
}

interface Following {
  readonly seen: Followed[];
  readonly stop: AbortController;
  /** Rejects with what it fails with. */
  readonly done: Promise<void>;
}

async function follow(
  url: string,
  { token, path = "/api/v1/events?types=app", time }: FollowOptions = {},
): Promise<Following> {
  const client = await clientOf(url, token);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const seen: Followed[] = [];
  const run = async (): Promise<void> => {
    for await (const one of followedEvents(client, path, stop.signal, time)) seen.push(one);
  };
  const done = run();
  done.catch(() => {});
  return { seen, stop, done };
}

const revisions = ({ seen }: Following): readonly unknown[] =>
  seen.flatMap((one) =>
    one.kind === "event" ? [(JSON.parse(one.event.data) as { revision: number }).revision] : [],
  );
const pauses = ({ seen }: Following): readonly number[] =>
  seen.flatMap((one) => (one.kind === "away" ? [one.pause] : []));
const put = (): Promise<unknown> => admin.store.put("shop", SHOP, "any", "amy");
const isHeard = (): Promise<boolean> => until("the reader", () => admin.events.readers === 1);

describe("followed events", () => {
  it("go on after a break where they ended", async () => {
    const way = await Way.open();
    const following = await follow(way.url);
    await isHeard();
    await put();
    await until("the first", () => revisions(following).length === 1);
    way.cut();
    await until("the break", () => pauses(following).length > 0);
    await put();
    await put();
    way.mend();
    await until("the others", () => revisions(following).length === 3);
    expect(revisions(following)).toEqual([1, 2, 3]);
    expect(pauses(following)[0]).toBe(500);
    following.stop.abort();
    await following.done;
  });

  it("pause longer from time to time while nobody is there, and short again after that", async () => {
    const time = new FakeTime();
    const way = await Way.open();
    const following = await follow(way.url, { time });
    await isHeard();
    await put();
    await until("an event", () => revisions(following).length === 1);
    way.cut();
    const expected = [500, 1000, 2000, 4000, 8000, 15_000, 15_000];
    for (const [index, pause] of expected.entries()) {
      await time.awaited(pause);
      if (index === expected.length - 1) way.mend();
      time.advance(pause);
    }
    expect(pauses(following)).toEqual(expected);
    await put();
    await until("the next event", () => revisions(following).length === 2);
    way.cut();
    await time.awaited(500);
    expect(pauses(following).at(-1)).toBe(500);
    following.stop.abort();
    await following.done;
  });

  it("are begun anew when the gateway is another one, and say so", async () => {
    const way = await Way.open();
    const following = await follow(way.url);
    await isHeard();
    const before = admin;
    admin = await runAdmin();
    await before.stop();
    await until("the reset", () =>
      following.seen.some((one) => one.kind === "event" && one.event.type === "reset"),
    );
    expect(following.seen[0]).toMatchObject({ reason: "the events have ended" });
    await put();
    await until("the first of the other one", () => revisions(following).includes(1));
  });

  it("fail if nobody answers in the beginning", async () => {
    const server = createServer();
    const url = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    await expect((await follow(url)).done).rejects.toThrow("no gateway answers");
  });

  it("fail if the gateway refuses", async () => {
    await expect((await follow(admin.url, { token: "wrong" })).done).rejects.toThrow(
      "A valid token is needed",
    );
    const unknown = await follow(admin.url, { path: "/api/v1/events?types=weather" });
    await expect(unknown.done).rejects.toThrow("found types weather, expected some of app,");
  });

  it("fail if what answers is no gateway", async () => {
    const url = await serving((_, answer) => answer.end("<html>"));
    await expect((await follow(url)).done).rejects.toThrow("its answer is no stream of events");
  });

  it("outlive the page of a proxy that finds no gateway", async () => {
    let asked = 0;
    const url = await serving((_, answer) => {
      asked += 1;
      if (asked === 1) answer.writeHead(200, { "content-type": "text/event-stream" }).end("id: 1\n\n");
      else if (asked === 2) answer.writeHead(502, { "content-type": "text/html" }).end("<html>");
      else answer.writeHead(404).end();
    });
    const following = await follow(url);
    await expect(following.done).rejects.toThrow(CliFailure);
    expect(following.seen).toMatchObject([
      { kind: "away", reason: "the events have ended" },
      { kind: "away", reason: `${url} answers 502` },
    ]);
  });

  it("take long silence for an end", async () => {
    const time = new FakeTime();
    let answer: ServerResponse | undefined;
    const url = await serving((_, response) => {
      answer = response.writeHead(200, { "content-type": "text/event-stream" });
      answer.write("data: 1\n\n");
    });
    const following = await follow(url, { time });
    await until("the first", () => following.seen.length === 1);
    time.advance(44_000);
    answer!.write("data: 2\n\n");
    await until("the second", () => following.seen.length === 2);
    await time.awaited(45_000);
    time.advance(45_000);
    await until("the end", () => following.seen.length === 3);
    expect(following.seen[2]).toMatchObject({ kind: "away", reason: "nothing was heard for 45 s" });
  });

  function serving(handle: RequestListener): Promise<string> {
    const server = createHttpServer(handle);
    onTestFinished(() => server.closeAllConnections());
    return listening(server);
  }
});
