import { describe, expect, it } from "vitest";
import {
  DEATHS_SLOT,
  FAILURE_SLOT,
  FAILURES,
  LATENCY_SLOT,
  LATENCY_SUM_SLOT,
  OUTCOME_SLOT,
  OUTCOMES,
} from "../../src/gateway/group-meter.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import {
  app,
  deadAddress,
  eventually,
  get,
  ok,
  post,
  serve,
  split,
  startGateway,
  take,
  upstream,
} from "./harness.ts";

/** What was counted of the app since this was last asked, by group and name. */
function counted(gateway: Gateway): Record<string, Record<string, number>> {
  const { counts = {} } = gateway.takeNews().get("shop") ?? {};
  return Object.fromEntries(
    Object.entries(counts).map(([group, increments]) => {
      const named: Record<string, number> = {};
      for (let i = 0; i < increments.length; i += 2) {
        const [slot, count] = [increments[i]!, increments[i + 1]!];
        if (slot === LATENCY_SUM_SLOT) continue;
        const name = slot >= LATENCY_SLOT ? "timed" : nameOf(slot);
        named[name] = (named[name] ?? 0) + count;
      }
      return [group, named];
    }),
  );
}

function nameOf(slot: number): string {
  if (slot === DEATHS_SLOT) return "deaths";
  return slot < FAILURE_SLOT ? OUTCOMES[slot - OUTCOME_SLOT]! : FAILURES[slot - FAILURE_SLOT]!;
}

describe("of every request is counted", () => {
  it("the class of its answer and when it began, for the group that answered", async () => {
    const rest = await upstream(serve("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    const test = await upstream(serve(ok()));
    const { gateway, ask } = await startGateway({
      apps: [split([rest.address], [test.address], { testers: [{ header: "x-tester", equals: "1" }] })],
    });
    for (let i = 0; i < 3; i++) await ask(get());
    await ask(get("/", "x-tester: 1\r\n"));
    expect(counted(gateway)).toEqual({ blue: { "4xx": 3, timed: 3 }, green: { "2xx": 1, timed: 1 } });
    expect(counted(gateway)).toEqual({});
  });

  it("a latency that spans all tries, and why each of them failed", async () => {
    const busy = await upstream(serve("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
    const good = await upstream(serve(ok()));
    const dead = await deadAddress();
    const { gateway, ask } = await startGateway({
      apps: [app([dead, busy.address, good.address], { retry: { tries: 3, budget: 100, on: [503] } })],
    });
    await ask(get());
    expect(counted(gateway)).toEqual({
      g1: { "2xx": 1, connect_failed: 1, status: 1, deaths: 2, timed: 1 },
    });
  });

  it("a 101 as the answer that it is", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    });
    const { gateway, client } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    await peer.text("101 Switching");
    expect(counted(gateway)).toEqual({ g1: { "1xx": 1, timed: 1 } });
  });

  it("an answer of the gateway itself, for the group that was asked last", async () => {
    const { gateway, ask } = await startGateway({ apps: [app([await deadAddress()])] });
    expect((await ask(get())).status).toBe(502);
    expect(counted(gateway)).toEqual({ g1: { "5xx": 1, connect_failed: 1, deaths: 1, timed: 1 } });
  });

  it("one for which no server could be asked, for no group", async () => {
    const server = await upstream(serve(ok()));
    const { gateway, ask } = await startGateway({ apps: [app([server.address], { tls: "unknown" })] });
    expect((await ask(get())).field("x-halftone-error")).toBe("tls_unknown");
    expect(counted(gateway)).toEqual({ "": { "5xx": 1 } });
  });

  it("that its client did not wait for an answer", async () => {
    const server = await upstream(() => {});
    const { gateway, client } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(get());
    await eventually(() => server.peers.length === 1, "the request at the server");
    peer.reset();
    await eventually(() => gateway.counters.inFlight === 0, "the end of the request");
    expect(counted(gateway)).toEqual({ g1: { none: 1 } });
  });

  it("only one thing, if the answer that began breaks off", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
      peer.end();
    });
    const { gateway, client } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(get());
    await peer.gone();
    expect(counted(gateway)).toEqual({ g1: { "2xx": 1, server_cut: 1, deaths: 1, timed: 1 } });
  });

  it("nothing of those that have no app", async () => {
    const { gateway, ask } = await startGateway();
    expect((await ask(post(""))).status).toBe(404);
    expect(gateway.takeNews().size).toBe(0);
    expect([...gateway.counters.errors]).toEqual([["no_route", 1]]);
  });
});
