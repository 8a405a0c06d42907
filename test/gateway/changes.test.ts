import { describe, expect, it } from "vitest";
import type { AppDocument } from "../../src/config/app-document.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import {
  app,
  deadAddress,
  eventually,
  get,
  ok,
  serve,
  split,
  startGateway,
  take,
  upstream,
  type Script,
} from "./harness.ts";

let revision = 1;
function put(gateway: Gateway, document: AppDocument): void {
  gateway.putApp({ name: document.name, revision: ++revision, document });
}

function held(answer: string): { script: Script; letGo: () => void } {
  let letGo!: () => void;
  const release = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const script: Script = async (peer) => {
    for (;;) {
      await take(peer);
      await release;
      peer.send(answer);
    }
  };
  return { script, letGo };
}

describe("a change of an app", () => {
  it("is in force for the next request, on the same connection too", async () => {
    const blue = await upstream(serve(ok("blue")));
    const green = await upstream(serve(ok("green")));
    const { client, gateway } = await startGateway({ apps: [split([blue.address], [green.address])] });
    const peer = await client();
    const next = async (): Promise<string> => {
      peer.send(get());
      return (await peer.message()).body;
    };
    expect([await next(), await next()]).toEqual(["blue", "blue"]);
    put(gateway, split([blue.address], [green.address], { deploy: 1 }));
    expect([await next(), await next()]).toEqual(["green", "green"]);
    put(gateway, split([blue.address], [green.address], { share: 100 }));
    expect([await next(), await next()]).toEqual(["green", "green"]);
    put(gateway, split([blue.address], [green.address], { testing: false, share: 100 }));
    expect([await next(), await next()]).toEqual(["blue", "blue"]);
    put(gateway, split([blue.address], [green.address], { deploy: 0 }));
    expect(new Set([await next(), await next()])).toEqual(new Set(["blue", "green"]));
  });

  it.each(["roundRobin", "leastConnections", "hash"] as const)(
    "takes a server out that goes into quarantine; what it has under way ends (%s)",
    async (balance) => {
      const slow = held(ok("first"));
      const first = await upstream(slow.script);
      const second = await upstream(serve(ok("second")));
      const servers = [first.address, second.address];
      const { ask, client, gateway, server } = await startGateway({ apps: [app([first.address])] });
      const waiting = await client();
      waiting.send(get());
      await eventually(() => first.requests.length === 1, "the request");
      put(gateway, app(servers, { balance, quarantine: [first.address] }));
      expect(server(first.address).weight).toBe(0);
      for (let time = 0; time < 8; time += 1) expect((await ask(get())).body).toBe("second");
      slow.letGo();
      expect((await waiting.message()).body).toBe("first");
      expect(first.requests).toHaveLength(1);
      put(gateway, app([first.address, second.address], { balance, quarantine: [second.address] }));
      for (let time = 0; time < 4; time += 1) expect((await ask(get())).body).toBe("first");
    },
  );

  it("asks nobody in quarantine, though all others are dead", async () => {
    const out = await upstream(serve(ok("out")));
    const dead = await deadAddress();
    const { ask } = await startGateway({ apps: [app([out.address, dead], { quarantine: [out.address] })] });
    for (let time = 0; time < 3; time += 1) expect((await ask(get())).status).toBe(502);
    expect(out.requests).toEqual([]);
  });

  it("leaves a request that runs where it is; a further try goes by the newest document", async () => {
    let letGo!: () => void;
    const release = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const breaking = await upstream(async (peer) => {
      await take(peer);
      await release;
      peer.reset();
    });
    const old = await upstream(serve(ok("old")));
    const fresh = await upstream(serve(ok("fresh")));
    const { client, gateway } = await startGateway({ apps: [app([breaking.address, old.address])] });
    const peer = await client();
    peer.send(get());
    await eventually(() => breaking.requests.length === 1, "the request");
    put(gateway, app([fresh.address]));
    letGo();
    // The old server may have been restarted by now: its owner was told that it is idle (decision 0022).
    expect((await peer.message()).body).toBe("fresh");
    expect(old.requests).toHaveLength(0);
    expect(gateway.servers().map(({ server }) => server)).toEqual([fresh.address]);
  });

  it("deleted: its requests end well, the next is a 404 no_route", async () => {
    const { script, letGo } = held(ok("last"));
    const server = await upstream(script);
    const { client, gateway } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(get() + get());
    await eventually(() => server.requests.length === 1, "the request");
    gateway.deleteApp("shop");
    letGo();
    expect((await peer.message()).body).toBe("last");
    const next = await peer.message();
    expect(next.status).toBe(404);
    expect(next.field("x-halftone-error")).toBe("no_route");
    await server.peers[0]!.gone();
    expect(gateway.servers()).toEqual([]);
  });

  it("taking a server out closes its idle connections and no others", async () => {
    const stays = await upstream(serve(ok()));
    const goes = await upstream(serve(ok()));
    const { ask, gateway } = await startGateway({ apps: [app([stays.address, goes.address])] });
    await ask(get());
    await ask(get());
    expect([stays.peers.length, goes.peers.length]).toEqual([1, 1]);
    put(gateway, app([stays.address]));
    await goes.peers[0]!.gone();
    await ask(get());
    expect(stays.peers.length).toBe(1);
    put(gateway, app([stays.address, goes.address]));
    await ask(get());
    await ask(get());
    expect(goes.peers.length).toBe(2);
  });

  it("of the share forgets neither health nor connections", async () => {
    const dead = await deadAddress();
    const alive = await upstream(serve(ok()));
    const test = await upstream(serve(ok("test")));
    const document = split([dead, alive.address], [test.address]);
    const { ask, gateway, server } = await startGateway({ apps: [document] });
    await ask(get());
    await ask(get());
    const { deadUntil } = server(dead);
    expect(deadUntil).not.toBeNull();
    for (const share of [10, 50, 0]) {
      put(gateway, { ...document, share });
      // The moment is kept by the machine's own clock: to the wall clock it is the same but for rounding.
      expect(Math.abs(server(dead).deadUntil! - deadUntil!)).toBeLessThan(5);
    }
    for (let i = 0; i < 4; i++) expect((await ask(get())).status).toBe(200);
    expect(server(dead).failures).toBe(1);
    expect(alive.peers.length).toBe(1);
  });

  it("of all apps at once keeps those that are still there", async () => {
    const a = await upstream(serve(ok("a")));
    const b = await upstream(serve(ok("b")));
    const shop = app([a.address], { routes: [{ host: "shop.test" }] });
    const { ask, gateway } = await startGateway({
      apps: [shop, app([b.address], { name: "other", routes: [{ path: "/other" }] })],
    });
    await ask(get());
    expect((await ask("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")).body).toBe("b");
    gateway.replaceApps([{ name: "shop", revision: 9, document: shop }]);
    await b.peers[0]!.gone();
    expect((await ask(get())).body).toBe("a");
    expect(a.peers.length).toBe(1);
    expect((await ask("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")).status).toBe(404);
  });
});

describe("while the switch is turned to and fro under load", () => {
  it("every request is answered, and each by a group that its snapshot allowed", async () => {
    const blue = await upstream(serve(ok("blue")));
    const green = await upstream(serve(ok("green")));
    const { client, gateway } = await startGateway({ apps: [split([blue.address], [green.address])] });
    let running = true;
    let answers = 0;
    const user = async (): Promise<void> => {
      const peer = await client();
      while (running) {
        peer.send(get());
        const answer = await peer.message();
        expect(answer.status).toBe(200);
        answers++;
      }
    };
    const users = Array.from({ length: 8 }, user);
    for (let i = 0; i < 60; i++) {
      put(gateway, split([blue.address], [green.address], { deploy: i % 3, share: (i * 7) % 101 }));
      const before = answers;
      await eventually(() => answers > before + 8, "answers after the change");
    }
    running = false;
    await Promise.all(users);
    expect(gateway.counters.errors.size).toBe(0);
    expect(gateway.counters.inFlight).toBe(0);
    expect(gateway.servers().every(({ failures, inFlight }) => failures === 0 && inFlight === 0)).toBe(true);
  });
});
