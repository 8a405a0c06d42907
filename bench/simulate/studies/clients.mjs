// @ts-check
// Equal versions, counted client by client as the gateway counts: what becomes of clients who are unlike others, or come
// again and again? Each request is drawn and goes through the tally that ships.
import { compareWindow, Tally } from "../core.mjs";
import { ERRORS, watchWorse } from "../halftone.mjs";
import { part, percent, repeat } from "../study.mjs";
import { HOUR, steady } from "./scenarios.mjs";

/** @typedef {import("../random.mjs").Random} Random */

/**
 * @typedef {object} Kind clients of one kind
 * @property {number} count
 * @property {number} rate requests a second of each
 * @property {number} errors part of its requests that fail
 * @property {number} [repeats] after a failure the client asks so many times more at once, for the same broken thing
 */

const WINDOW = 10_000;
const SHARE = steady(0.2);
const SERVERS = { test: "10.0.0.1:80", rest: "10.0.0.2:80" };
const SIDE_OF = new Map([
  [SERVERS.test, /** @type {const} */ ("test")],
  [SERVERS.rest, /** @type {const} */ ("rest")],
]);

/** @type {readonly { title: string, kinds: readonly Kind[], risk?: number }[]} */
const CASES = [
  { title: "2,000 clients, each a request in 100 s", kinds: [{ count: 2000, rate: 0.01, errors: 0.005 }] },
  { title: "100 clients, each a request in 5 s", kinds: [{ count: 100, rate: 0.2, errors: 0.005 }] },
  {
    title: "the same, each repeats five times what has failed",
    kinds: [{ count: 100, rate: 0.2, errors: 0.005, repeats: 5 }],
  },
  {
    title: "a tenth of the clients with ten times the errors",
    kinds: [
      { count: 180, rate: 0.1, errors: 0.003 },
      { count: 20, rate: 0.1, errors: 0.03 },
    ],
  },
  {
    title: "one client more whose every request fails, one a second",
    kinds: [
      { count: 400, rate: 0.05, errors: 0.005 },
      { count: 1, rate: 1, errors: 1 },
    ],
  },
  {
    title: "one client more who sends half of all requests, and never fails",
    kinds: [
      { count: 400, rate: 0.05, errors: 0.005 },
      { count: 1, rate: 20, errors: 0 },
    ],
  },
  {
    title: "one client more who sends half of all requests, and fails like others",
    kinds: [
      { count: 400, rate: 0.05, errors: 0.005 },
      { count: 1, rate: 20, errors: 0.005 },
    ],
  },
  {
    title: "three times as many errors, 400 clients",
    kinds: [{ count: 400, rate: 0.05, errors: 0.005 }],
    risk: 3,
  },
];

/** @type {import("../study.mjs").Study} */
export const clients = {
  id: "clients",
  title: "Clients who are unlike others",
  run(run) {
    return {
      head: [
        "some 20 requests a second, 20 % of the clients on the new version",
        "called worse",
        "had every request counted",
      ],
      rows: CASES.map(({ title, kinds, risk = 1 }) => {
        const ends = repeat({ ...run, releases: Math.ceil(run.releases / 10) }, title, (random) =>
          release(random, kinds, risk),
        );
        return [
          title,
          percent(part(ends, ({ byClient }) => byClient)),
          percent(part(ends, ({ byRequest }) => byRequest)),
        ];
      }),
    };
  },
};

/**
 * @param {Random} random
 * @returns {"test" | "rest"}
 */
function sideOf(random) {
  return random.uniform() < SHARE(0) ? "test" : "rest";
}

/**
 * @param {Random} random
 * @param {readonly Kind[]} kinds
 * @param {number} risk
 */
function release(random, kinds, risk) {
  const people = kinds.flatMap((kind) =>
    Array.from({ length: kind.count }, () => ({
      kind,
      client: 1 + Math.floor(random.uniform() * (2 ** 31 - 1)),
      side: sideOf(random),
    })),
  );
  const tally = new Tally({ release: "r1", window: WINDOW, slower: undefined }, 0, 7);
  const seen = new Set();
  const watches = { byClient: watchWorse(ERRORS), byRequest: watchWorse(ERRORS) };
  const found = { byClient: false, byRequest: false };
  for (let window = 0; window < HOUR; window++) {
    const now = window * WINDOW;
    if (now % 600_000 === 0) seen.clear();
    const every = { test: { total: 0, bad: 0 }, rest: { total: 0, bad: 0 } };
    for (const { kind, client, side } of people) {
      const requests = random.poisson(kind.rate * 10);
      for (let n = 0; n < requests; n++) {
        const failed = random.uniform() < kind.errors * (side === "test" ? risk : 1);
        for (let again = failed ? (kind.repeats ?? 0) : 0; again >= 0; again--) {
          tally.count(client, SERVERS[side], failed, Number.NaN, false, now);
          every[side].total += 1;
          every[side].bad += failed ? 1 : 0;
        }
      }
    }
    const [counted] = tally.take(now).windows;
    const byClient = counted && compareWindow(counted, SIDE_OF, seen)["errors"];
    if (byClient !== undefined) found.byClient ||= watches.byClient([byClient]);
    found.byRequest ||= watches.byRequest([every]);
  }
  return found;
}
