import { expect, it } from "vitest";
import { lineOfEvent } from "./event-lines.ts";

const AT = Date.UTC(2026, 10, 26, 15, 8, 19, 345);
const line = (type: string, data: unknown): string => lineOfEvent({ type, data: JSON.stringify(data) }, AT);

it("says what became of a document", () => {
  const event = {
    app: "shop",
    revision: 5,
    by: "admin (amy)",
    what: "deploy 1 share 5",
    at: "2026-11-26T15:00:00.000Z",
  };
  expect(line("app", event)).toBe("2026-11-26T15:00:00Z shop: revision 5, deploy 1 share 5 by admin (amy)");
  expect(line("app", { ...event, revision: null, what: "delete" })).toBe(
    "2026-11-26T15:00:00Z shop: deleted by admin (amy)",
  );
});

it("says how a server is", () => {
  const row = { app: "shop", group: "blue", server: "10.0.0.1:80", weight: 2, state: "up", healthy: true };
  expect(line("server", { ...row, deadUntil: null, lastError: null })).toBe(
    "2026-11-26T15:08:19Z shop: server 10.0.0.1:80 of blue is up; weight 2",
  );
  const dead = { ...row, state: "dead", healthy: false, deadUntil: "2026-11-26T15:08:29.000Z" };
  expect(line("server", { ...dead, lastError: "refused" })).toBe(
    "2026-11-26T15:08:19Z shop: server 10.0.0.1:80 of blue is dead; weight 2; its check fails; " +
      "tried again at 2026-11-26T15:08:29Z; last error: refused",
  );
});

it("says how gateways are", () => {
  const row = { version: "1.0", live: true, ready: true, lag: 0 };
  const rows = [
    { ...row, name: "a" },
    { ...row, name: "b", lag: 1 },
    { ...row, name: "c", lag: 2, ready: false },
    { ...row, name: "d", live: false },
  ];
  expect(line("gateway", rows)).toBe(
    "2026-11-26T15:08:19Z gateways: a 1.0 live; b 1.0 live, 1 app behind; c 1.0 not ready, 2 apps behind; d 1.0 lost",
  );
});

it("says what traffic there is", () => {
  const groups = [
    { group: "blue", perSecond: 12.3, failuresPerSecond: 0.1, inFlight: 4, p99: 7 },
    { group: "green", perSecond: 0, failuresPerSecond: 0, inFlight: 0 },
  ];
  expect(line("traffic", { app: "shop", at: "2026-11-26T15:08:20.000Z", groups })).toBe(
    "2026-11-26T15:08:20Z shop: blue 12.3/s, 0.1/s failed, 4 in flight; green 0/s, 0/s failed, 0 in flight",
  );
});

it("says when some are missing, and shows what it does not know, without harm to a terminal", () => {
  expect(line("reset", { reason: "too long ago" })).toBe(
    "2026-11-26T15:08:19Z some events were missed: too long ago",
  );
  expect(line("weather", { sky: "\u001b[31mred\nand blue" })).toBe(
    '2026-11-26T15:08:19Z weather {"sky":"\\u001b[31mred\\nand blue"}',
  );
  const event = { app: "shop", revision: 1, by: "amy\u001b[2J", what: "put", at: "2026-11-26T15:00:00Z" };
  expect(line("app", event)).toBe("2026-11-26T15:00:00Z shop: revision 1, put by amy[2J");
  expect(line("constructor", {})).toBe("2026-11-26T15:08:19Z constructor {}");
});
