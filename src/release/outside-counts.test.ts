import { afterEach, describe, expect, it } from "vitest";
import { askedServer } from "./asked-server.fixture.ts";
import { OutsideCounts, type OutsideTaken } from "./outside-counts.ts";
import type { OutsideRequest } from "./outside-source.ts";
import { outsideSource } from "./outside-signals.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const REQUEST: OutsideRequest = {
  app: "shop",
  release: "r-1",
  test: { groups: ["blue"], servers: ["10.0.4.175:80", "10.0.4.176:80"] },
  rest: { groups: ["green"], servers: ["10.0.4.146:80"] },
};

type Numbers = readonly [testTotal: number, testBad: number, restTotal: number, restBad: number];

/** Or a status. `late`: other requests are answered first, if there are any. */
type Answer = Numbers | number | { readonly late: Numbers };

/** Signals by name, each answered by a server of its own, one answer after the other. */
async function counts(answers: Readonly<Record<string, readonly Answer[]>>) {
  const sources = Object.entries(answers).map(async ([name, given]) => {
    const left = [...given];
    const server = await askedServer((_, response) => {
      const answer = left.shift() ?? 410;
      if (typeof answer === "number") response.writeHead(answer).end();
      else if ("late" in answer) setTimeout(() => response.end(JSON.stringify(told(answer.late))), 100);
      else response.end(JSON.stringify(told(answer)));
    });
    open.push(() => server.close());
    const url = `http://${server.host}/`;
    return outsideSource({ name, what: name, timeout: 10_000, from: { kind: "webhook", url } });
  });
  return new OutsideCounts(await Promise.all(sources));
}

function told([testTotal, testBad, restTotal, restBad]: Numbers): object {
  return { test: { total: testTotal, bad: testBad }, rest: { total: restTotal, bad: restBad } };
}

function plain({ comparisons, problems }: OutsideTaken): object {
  return { comparisons: Object.fromEntries(comparisons), problems: Object.fromEntries(problems) };
}

describe("counts from elsewhere", () => {
  it("are what came to each signal since the last window", async () => {
    const taken = await counts({
      orders: [
        [100, 1, 900, 9],
        [110, 2, 990, 9],
        [125, 2, 1090, 12],
      ],
      payments: [[5, 0, 6, 0], 503, [8, 1, 60, 2]],
    });
    expect(plain(await taken.take(REQUEST))).toEqual({ comparisons: {}, problems: {} });
    expect(plain(await taken.take(REQUEST))).toEqual({
      comparisons: { orders: told([10, 1, 90, 0]) },
      problems: { payments: "status 503" },
    });
    expect(plain(await taken.take(REQUEST))).toEqual({
      comparisons: { orders: told([15, 0, 100, 3]), payments: told([3, 1, 54, 2]) },
      problems: {},
    });
  });

  it("are left out of a window in which one went down", async () => {
    const taken = await counts({
      orders: [
        [100, 1, 900, 9],
        [4, 0, 990, 9],
        [9, 1, 1000, 9],
      ],
    });
    await taken.take(REQUEST);
    expect(plain(await taken.take(REQUEST))).toEqual({
      comparisons: {},
      problems: { orders: "test.total went down from 100 to 4: this window is left out" },
    });
    expect(plain(await taken.take(REQUEST))).toEqual({
      comparisons: { orders: told([5, 1, 10, 0]) },
      problems: {},
    });
  });

  it.each<[string, OutsideRequest]>([
    ["another release", { ...REQUEST, release: "r-2" }],
    ["another server", { ...REQUEST, rest: { groups: ["green"], servers: ["10.0.4.147:80"] } }],
    ["a server less", { ...REQUEST, test: { groups: ["blue"], servers: ["10.0.4.175:80"] } }],
  ])("begin anew with %s", async (_, other) => {
    const taken = await counts({
      orders: [
        [10, 1, 90, 9],
        [20, 2, 99, 9],
        [30, 2, 199, 12],
      ],
    });
    await taken.take(REQUEST);
    expect(plain(await taken.take(other))).toEqual({ comparisons: {}, problems: {} });
    expect(plain(await taken.take(other))).toMatchObject({ comparisons: { orders: told([10, 0, 100, 3]) } });
  });

  it("go on where the same servers are named in another order", async () => {
    const taken = await counts({
      orders: [
        [10, 1, 90, 9],
        [20, 2, 99, 9],
      ],
    });
    await taken.take(REQUEST);
    const servers = REQUEST.test.servers.toReversed();
    expect(plain(await taken.take({ ...REQUEST, test: { ...REQUEST.test, servers } }))).toMatchObject({
      comparisons: { orders: told([10, 1, 9, 0]) },
    });
  });

  it("begin anew when they are told to, also while they are taken", async () => {
    const taken = await counts({
      orders: [
        [10, 1, 90, 9],
        [20, 2, 99, 9],
        [30, 2, 199, 12],
      ],
    });
    await taken.take(REQUEST);
    const underWay = taken.take(REQUEST);
    taken.beginAnew();
    expect(plain(await underWay)).toEqual({ comparisons: {}, problems: {} });
    expect(plain(await taken.take(REQUEST))).toMatchObject({
      comparisons: { orders: told([10, 0, 100, 3]) },
    });
  });

  it("are taken one after the other", async () => {
    const taken = await counts({
      orders: [{ late: [10, 1, 90, 9] }, [20, 2, 99, 9], [30, 2, 199, 12]],
    });
    const all = await Promise.all([taken.take(REQUEST), taken.take(REQUEST), taken.take(REQUEST)]);
    expect(all.map(plain)).toMatchObject([
      { comparisons: {} },
      { comparisons: { orders: told([10, 1, 9, 0]) } },
      { comparisons: { orders: told([10, 0, 100, 3]) } },
    ]);
  });

  it("are not taken when nobody wants them any more", async () => {
    const taken = await counts({ orders: [[10, 1, 90, 9]] });
    const { problems } = await taken.take(REQUEST, AbortSignal.abort());
    expect(Object.fromEntries(problems)).toEqual({ orders: "stopped" });
  });
});
