import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { SignalSource } from "../config/signal-settings.ts";
import { type Asked, askedServer, type AskedServer } from "./asked-server.fixture.ts";
import type { OutsideReading, OutsideRequest } from "./outside-source.ts";
import { outsideSource } from "./outside-signals.ts";
import { FakeTime } from "./time.fixture.ts";

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const REQUEST: OutsideRequest = {
  app: "shop",
  release: "r-1",
  test: { groups: ["blue"], servers: ["10.0.4.175:80", "10.0.4.176:80"] },
  rest: { groups: ["green", "red"], servers: ["10.0.4.146:80"] },
};
const NEVER = new AbortController().signal;

async function serving(answer: (asked: Asked, response: ServerResponse) => void): Promise<AskedServer> {
  const server = await askedServer(answer);
  open.push(() => server.close());
  return server;
}

async function fileOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "halftone-signals-"));
  open.push(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "secret"), `${text}\n`);
  return join(folder, "secret");
}

function settings(from: SignalSource["from"]): SignalSource {
  return { name: "checkout", what: "failed orders", timeout: 3000, from };
}

async function reasonOf(reading: Promise<OutsideReading>): Promise<string> {
  const read = await reading;
  return read.kind === "failed" ? read.reason : JSON.stringify(read.comparison);
}

const QUERIES = {
  total: 'sum(orders_total{instance=~"$servers"})',
  bad: 'sum(orders_total{group=~"$groups",result="failed"}) or vector(0)',
};

const vectorOf = (...values: readonly string[]): object => ({
  status: "success",
  data: { resultType: "vector", result: values.map((value) => ({ metric: {}, value: [1.7e9, value] })) },
});

describe("counts of Prometheus", () => {
  /** Answers by what is asked for: "test.total" and so on. */
  async function prometheus(answers: (of: string) => object, file?: string, path = "") {
    const time = new FakeTime();
    const server = await serving(({ body }, response) => {
      const query = new URLSearchParams(body).get("query") ?? "";
      const side = /175|blue/.test(query) ? "test" : "rest";
      response.end(JSON.stringify(answers(`${side}.${query.includes("failed") ? "bad" : "total"}`)));
    });
    const from = { kind: "prometheus", url: `http://${server.host}${path}`, ...QUERIES } as const;
    const source = outsideSource(
      settings(file === undefined ? from : { ...from, authorizationFile: file }),
      time,
    );
    return { server, time, read: () => source.read(REQUEST, NEVER) };
  }

  const NUMBERS: Readonly<Record<string, string>> = {
    "test.total": "120",
    "test.bad": "7",
    "rest.total": "5000.000000000000001",
    "rest.bad": "3e1",
  };
  const numbers = (of: string): object => vectorOf(NUMBERS[of]!);

  it("are asked for by four queries of one moment, each of the servers or groups of one side", async () => {
    const { server, time, read } = await prometheus(numbers, undefined, "/metrics/?tenant=1");
    expect(await read()).toEqual({
      kind: "counted",
      comparison: { test: { total: 120, bad: 7 }, rest: { total: 5000, bad: 30 } },
    });
    const asked = server.asked.map(({ method, path, headers, body }) => ({
      line: `${method} ${path} ${headers["content-type"]} ${headers.authorization}`,
      asks: Object.fromEntries(new URLSearchParams(body)),
    }));
    const line = "POST /metrics/api/v1/query?tenant=1 application/x-www-form-urlencoded undefined";
    const at = String(time.now() / 1000);
    expect(asked).toHaveLength(4);
    expect(asked).toEqual(
      expect.arrayContaining(
        [
          String.raw`sum(orders_total{instance=~"(?:10\\.0\\.4\\.175:80|10\\.0\\.4\\.176:80)"})`,
          'sum(orders_total{group=~"(?:blue)",result="failed"}) or vector(0)',
          String.raw`sum(orders_total{instance=~"(?:10\\.0\\.4\\.146:80)"})`,
          'sum(orders_total{group=~"(?:green|red)",result="failed"}) or vector(0)',
        ].map((query) => ({ line, asks: { query, time: at } })),
      ),
    );
  });

  it("may be scalars, and are asked for with what a file has", async () => {
    const { server, read } = await prometheus(
      (of) => ({ status: "success", data: { resultType: "scalar", result: [1, NUMBERS[of]] } }),
      await fileOf("Bearer token"),
    );
    expect(await read()).toMatchObject({ kind: "counted", comparison: { test: { total: 120, bad: 7 } } });
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(Array(4).fill("Bearer token"));
  });

  it.each([
    [
      "test.total",
      vectorOf(),
      "test.total: found no sample, expected one; where none means zero, add `or vector(0)`",
    ],
    ["rest.bad", vectorOf("1", "2"), "rest.bad: found 2 samples, expected one: sum(…)"],
    ["test.total", vectorOf("NaN"), 'test.total: found "NaN", expected a number from 0 to 2^53'],
    ["rest.total", vectorOf("+Inf"), 'rest.total: found "+Inf", expected a number from 0 to 2^53'],
    ["rest.total", vectorOf("1e16"), "rest.total: found 10000000000000000, expected a number from 0 to 2^53"],
    ["test.bad", vectorOf("-1"), "test.bad: found -1, expected a number from 0 to 2^53"],
    ["test.bad", vectorOf(""), 'test.bad: found "", expected a number from 0 to 2^53'],
    ["test.bad", vectorOf("121"), "test.bad: found 121, expected at most the total"],
    [
      "test.bad",
      { status: "success", data: { resultType: "matrix", result: [] } },
      'test.bad: found {"status":"success","data":{"resultType":"matrix","result":[]}}, expected an instant',
    ],
    [
      "test.bad",
      { status: "success", data: { resultType: "vector", result: [{ metric: {}, histogram: [1, {}] }] } },
      "expected an instant query's vector or scalar",
    ],
    ["test.total", [], "test.total: found [], expected an instant query's vector or scalar"],
    [
      "rest.total",
      { ...vectorOf("5000"), warnings: ["store a\u001b[2J is away"] },
      "rest.total: the answer may not be complete: store a is away",
    ],
  ])("of which %s is %j are not known", async (of, answer, reason) => {
    const { read } = await prometheus((asked) => (asked === of ? answer : numbers(asked)));
    expect(await reasonOf(read())).toContain(reason);
  });

  it("are waited for no longer when one of them does not come", async () => {
    const held: ServerResponse[] = [];
    const server = await serving((_, response) => {
      held.push(response);
      if (held.length === 4) response.destroy();
    });
    const source = outsideSource(settings({ kind: "prometheus", url: `http://${server.host}`, ...QUERIES }));
    expect(await reasonOf(source.read(REQUEST, NEVER))).toBe(`${server.host}: ECONNRESET`);
    for (const response of held) if (!response.closed) await once(response, "close");
  });

  it("are not asked for without the authorization that a file should have", async () => {
    for (const [file, reason] of [
      ["/nowhere/secret", "authorizationFile: ENOENT"],
      [await fileOf(" "), "authorizationFile: the file of the secret is empty"],
      [
        await fileOf("Bearer\r\nx: y"),
        "authorizationFile: not the one line, like Bearer TOKEN, that it has to be",
      ],
    ] as const) {
      const { server, read } = await prometheus(numbers, file);
      expect(await reasonOf(read())).toBe(reason);
      expect(server.asked).toEqual([]);
    }
  });

  it("are not asked for where a side has nobody: an empty pattern would match everybody else", async () => {
    const { server } = await prometheus(numbers);
    const source = outsideSource(settings({ kind: "prometheus", url: `http://${server.host}`, ...QUERIES }));
    const nobody = { groups: [], servers: [] };
    expect(await reasonOf(source.read({ ...REQUEST, rest: nobody }, NEVER))).toBe("no servers in rest");
    expect(server.asked).toEqual([]);
  });
});

describe("counts of a webhook", () => {
  async function webhook(answer: (response: ServerResponse) => void, secretFile?: string) {
    const time = new FakeTime();
    const server = await serving((_, response) => answer(response));
    const url = `http://${server.host}/counts?key=secret`;
    const from = { kind: "webhook", url, ...(secretFile !== undefined && { secretFile }) } as const;
    const source = outsideSource(settings(from), time);
    return { server, time, source, read: () => source.read(REQUEST, NEVER) };
  }

  const LONG = "x".repeat(100);
  const COUNTS = { test: { total: 120, bad: 7 }, rest: { total: 5000, bad: 30 } };

  it("are posted for, and signed as hooks are", async () => {
    const { server, time, read } = await webhook(
      (response) => response.end(JSON.stringify({ ...COUNTS, at: "now" })),
      await fileOf("top secret"),
    );
    expect(await read()).toEqual({ kind: "counted", comparison: COUNTS });
    const [{ method, path, headers, body } = { headers: {}, body: "" } as Asked] = server.asked;
    expect(`${method} ${path} ${headers["content-type"]}`).toBe("POST /counts?key=secret application/json");
    expect(JSON.parse(body)).toEqual(REQUEST);
    const t = Math.floor(time.now() / 1000);
    const v1 = createHmac("sha256", "top secret").update(`${t}.${body}`).digest("hex");
    expect(headers["x-halftone-signature"]).toBe(`t=${t},v1=${v1}`);
  });

  it("are posted for unsigned without a secret, never with one that cannot be read", async () => {
    const open = await webhook((response) => response.end(JSON.stringify(COUNTS)));
    expect(await open.read()).toMatchObject({ kind: "counted" });
    expect(open.server.asked[0]?.headers).not.toHaveProperty("x-halftone-signature");
    const lost = await webhook((response) => response.end(JSON.stringify(COUNTS)), "/nowhere/secret");
    expect(await reasonOf(lost.read())).toBe("secretFile: ENOENT");
    expect(lost.server.asked).toEqual([]);
  });

  it.each([
    ["", "the answer is empty"],
    ["<html>", "the answer is no JSON: <html>"],
    ["\u001b]0;title\u0007{", "the answer is no JSON: {"],
    ["null", "found null, expected {test: {total, bad}, rest: {total, bad}}"],
    ['{"test": {"total": 1, "bad": 0}}', "rest: found nothing, expected {total, bad}"],
    [
      '{"test": {"total": "1", "bad": -1}, "rest": {"total": 1e99, "bad": null}}',
      'test.total: found "1", expected a number from 0 to 2^53; test.bad: found -1, expected a number from 0 to 2^53; ' +
        "rest.total: found 1e+99, expected a number from 0 to 2^53; rest.bad: found null",
    ],
    [
      '{"test": {"total": 1, "bad": 2}, "rest": {"total": 1, "bad": 1}}',
      "test.bad: found 2, expected at most the total",
    ],
    [`"${"x".repeat(65_535)}"`, "the answer is longer than 64 KiB"],
    ["x".repeat(1000), `the answer is no JSON: ${"x".repeat(200)}`],
    [
      JSON.stringify({ test: { total: LONG, bad: LONG }, rest: { total: LONG, bad: LONG } }),
      'test.total: found "xxx',
    ],
  ])("are not known by the answer %.50j", async (answer, reason) => {
    const { read } = await webhook((response) => response.end(answer));
    const found = await reasonOf(read());
    expect(found.startsWith(reason)).toBe(true);
    expect(found.length).toBeLessThanOrEqual(300);
  });

  it("may take up to 64 KiB", async () => {
    const { read } = await webhook((response) => response.end(JSON.stringify(COUNTS).padEnd(65_536)));
    expect(await read()).toEqual({ kind: "counted", comparison: COUNTS });
  });

  it.each([204, 302, 404, 500])("are not known by status %i, which is not followed", async (status) => {
    const { server, read } = await webhook((response) =>
      response.writeHead(status, { location: "/elsewhere" }).end(status === 204 ? "" : "be\u0007cause"),
    );
    expect(await reasonOf(read())).toBe(status === 204 ? "status 204" : `status ${status}: be\ufffdcause`);
    expect(server.asked).toHaveLength(1);
  });

  it("are not known by an answer that breaks off, or does not come", async () => {
    const cut = await webhook((response) => {
      response
        .writeHead(200, { "content-length": 1000 })
        .write(JSON.stringify(COUNTS), () => response.destroy());
    });
    expect(await reasonOf(cut.read())).toBe("the answer broke off");
    const none = await webhook((response) => response.destroy());
    expect(await reasonOf(none.read())).toBe(`${none.server.host}: ECONNRESET`);
    const nobody = await webhook(() => undefined);
    nobody.server.close();
    expect(await reasonOf(nobody.read())).toBe(`${nobody.server.host}: ECONNREFUSED`);
  });

  it.each([
    ["before its head", () => undefined],
    ["within its body", (response: ServerResponse) => response.write("{")],
  ])("are not waited for longer than allowed: %s", async (_, answer) => {
    const { server, time, read } = await webhook(answer);
    const reason = reasonOf(read());
    await server.wasAsked(1);
    time.advance(3000);
    expect(await reason).toBe("no answer within 3 s");
  });

  it("are not waited for when nobody wants them any more", async () => {
    const { server, source } = await webhook(() => undefined);
    const stop = new AbortController();
    const reason = reasonOf(source.read(REQUEST, stop.signal));
    await server.wasAsked(1);
    stop.abort();
    expect(await reason).toBe("stopped");
    expect(await reasonOf(source.read(REQUEST, stop.signal))).toBe("stopped");
    expect(server.asked).toHaveLength(1);
  });
});
