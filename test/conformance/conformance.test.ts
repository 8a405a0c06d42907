import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientFaults, serverFaults } from "./cases/faults-of-others.ts";
import { fieldCases } from "./cases/fields.ts";
import { forwardingCases } from "./cases/forwarding.ts";
import { requestFramingCases } from "./cases/request-framing.ts";
import { responseCases } from "./cases/responses.ts";
import { startLineCases } from "./cases/start-line.ts";
import { targetAndHostCases } from "./cases/target-and-host.ts";
import { Rig } from "./rig.ts";

const requests = [
  ...startLineCases,
  ...targetAndHostCases,
  ...fieldCases,
  ...requestFramingCases,
  ...forwardingCases,
  ...clientFaults,
];
const responses = [...responseCases, ...serverFaults];

/**
 * Every case goes over real sockets through a whole gateway: at once, byte by byte, and in two parts at every place.
 * What comes out is judged by a parser of its own that takes canonical messages only.
 */
let rig: Rig;
let escaped = 0;
const count = (): void => {
  escaped++;
};

beforeAll(async () => {
  process.on("uncaughtException", count);
  process.on("unhandledRejection", count);
  rig = await Rig.start();
});
afterAll(async () => {
  await rig.stop();
  process.off("uncaughtException", count);
  process.off("unhandledRejection", count);
  expect(escaped).toBe(0);
});

describe(`${requests.length} requests of hostile clients`, () => {
  it.each(requests)("$name", (wanted) => rig.checkRequest(wanted));
});

describe(`${responses.length} responses of hostile servers`, () => {
  it.each(responses)("$name", (wanted) => rig.checkResponse(wanted));
});

describe("the cases", () => {
  const names = [...requests, ...responses].map(({ name }) => name);

  it("have names of their own", () => {
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it("cover every item of the checklist that a message can show", () => {
    const items = new Set(names.map((name) => Number.parseInt(name, 10)));
    // 63: test/gateway/framing.test.ts; 67 and 68: timeouts-and-limits and backpressure; 69: every case, by its splits.
    const elsewhere = [63, 67, 68, 69];
    const all = Array.from({ length: 70 }, (_, index) => index + 1);
    expect(all.filter((item) => !items.has(item) && !elsewhere.includes(item))).toEqual([]);
  });
});
