import { describe, expect, it } from "vitest";
import { releaseJson, type ReleaseJson } from "../../admin/release-schemas.ts";
import type { ServerRow } from "../../admin/schemas.ts";
import { describe as viewOf } from "../../core/release-view.ts";
import { MINUTE, play, type Player } from "../../core/release.fixture.ts";
import { drawRelease, type Traffic } from "./draw-release.ts";
import { columns } from "./styled-line.ts";

const NOBODY = { failures: 0, requests: 0, weight: 10, inFlight: 0, deadUntil: null, healthy: true };
const up = (group: string, server: string, inFlight = 0): ServerRow => ({
  ...NOBODY,
  group,
  server,
  inFlight,
  state: "up",
  lastError: null,
});
const SERVERS = [up("group1", "10.0.4.175:80", 3), up("group2", "10.0.4.146:80", 41)];
const TRAFFIC: readonly Traffic[] = [
  { group: "group1", perSecond: 12.5, failuresPerSecond: 0 },
  { group: "group2", perSecond: 112, failuresPerSecond: 0.4 },
];

const shown = ({ state, now }: Player): ReleaseJson => releaseJson(viewOf(state, now));

function picture(player: Player, width = 100): string {
  return `\n${drawRelease(shown(player), SERVERS, TRAFFIC, width, false).join("\n")}\n`;
}

describe("the picture of a release", () => {
  it("shows the way, the share, the servers, what it waits for and the log", () => {
    const player = play().until("shifting");
    player.report({ type: "converged", change: player.state.change });
    player.wait(MINUTE);
    expect(picture(player)).toMatchInlineSnapshot(`
      "
      shop 2.0  running  release r1

      group1  ✔ draining  ✔ updating  ✔ checking  ✔ testing  ▶ shifting 10 %  · holding
      group2  · draining  · updating  · checking  · testing  · merging

      share    ████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 10 % of the clients on 2.0

      group1  new, serves a part        12.5 requests/s   0 errors/s
        10.0.4.175:80  up    3 in flight
      group2  old, serves a part        112 requests/s    0.4 errors/s
        10.0.4.146:80  up    41 in flight

      now      shifting of group1 (10 %); waits for the verdict, 29 min left
      return   cheap: halftone release rollback shop

      00:16:40Z  bob            continue
      00:16:40Z  bob            checking of group1 begins
      00:16:40Z  health checks  testing of group1 begins
      00:16:40Z  bob            continue
      00:16:40Z  bob            shifting of group1 (10 %) begins
      "
    `);
  });

  it("says what a person has to do", () => {
    expect(picture(play().until("holding"))).toMatchInlineSnapshot(`
      "
      shop 2.0  running  release r1

      group1  ✔ draining  ✔ updating  ✔ checking  ✔ testing  ✔ shifting  ▶ holding
      group2  · draining  · updating  · checking  · testing  · merging

      share    ████████████████████████████████████████ 100 % of the clients on 2.0

      group1  new, serves everybody     12.5 requests/s   0 errors/s
        10.0.4.175:80  up    3 in flight
      group2  old, stands by            112 requests/s    0.4 errors/s
        10.0.4.146:80  up    41 in flight

      now      holding of group1; waits for a person
      reason   everybody is on group1, group2 untouched: the last point of cheap return
      needed   decide: the other groups too, or back
               halftone release continue shop (updates the other groups too)
               halftone release rollback shop (goes back to the version before)

      00:16:40Z  bob      shifting of group1 (10 %) begins
      00:16:40Z  verdict  not worse: e = 40
      00:16:40Z  verdict  shifting of group1 (50 %) begins
      00:18:40Z  time     shifting of group1 (100 %) begins
      00:19:40Z  time     holding of group1 begins
      "
    `);
  });

  it("goes back in reverse", () => {
    const player = play().until("merging");
    player.say("rollback", { reason: "prices are wrong" });
    expect(picture(player)).toMatchInlineSnapshot(`
      "
      shop 2.0  going back  release r1

      group1  · draining  · restoring  · checking
      group2  ▶ draining  · restoring  · checking

      share    ████████████████████████████████████████ 100 % of the clients on 2.0

      group1  new, serves everybody     12.5 requests/s   0 errors/s
        10.0.4.175:80  up    3 in flight
      group2  new, serves nobody        112 requests/s    0.4 errors/s
        10.0.4.146:80  up    41 in flight

      now      going back, draining of group2; waits for every gateway to apply it
      reason   goes back because: prices are wrong

      00:19:40Z  health checks  testing of group2 begins
      00:19:40Z  bob            continue
      00:19:40Z  bob            merging of group2 begins
      00:19:40Z  bob            rollback, from merging of group2: prices are wrong
      00:19:40Z  bob            the public is sent to group1; draining of group2 begins
      "
    `);
  });

  it("keeps to a narrow terminal", () => {
    expect(picture(play().until("holding"), 44)).toMatchInlineSnapshot(`
      "
      shop 2.0  running  release r1

      group1  ✔ ✔ ✔ ✔ ✔ ▶ holding
      group2  · · · · ·

      share    ███████ 100 % of the clients on 2.0

      group1  new       12.5 requests/s 0 errors/s
        10.0.4.175:80  up    3 in flight
      group2  old       112 requests/s  0.4 error…
        10.0.4.146:80  up    41 in flight

      now      holding of group1; waits for a
               person
      reason   everybody is on group1, group2
               untouched: the last point of cheap
               return
      needed   decide: the other groups too, or
               back
               halftone release continue shop
               (updates the other groups too)
               halftone release rollback shop
               (goes back to the version before)

      00:16:40Z  bob      shifting of group1 (10 …
      00:16:40Z  verdict  not worse: e = 40
      00:16:40Z  verdict  shifting of group1 (50 …
      00:18:40Z  time     shifting of group1 (100…
      00:19:40Z  time     holding of group1 begins
      "
    `);
  });

  it.each([20, 33, 50, 79, 200])("has no line wider than %i columns", (width) => {
    for (const kind of ["draining", "testing", "shifting", "merging", "done"] as const) {
      const player = play({ version: "二〇二六年一月版" }).until(kind);
      const lines = drawRelease(shown(player), SERVERS, TRAFFIC, width, false);
      expect(lines.filter((line) => columns(line) > width)).toEqual([]);
    }
  });

  it("has colours only where they are wanted, and the same text", () => {
    const view = shown(play().until("shifting"));
    const plain = drawRelease(view, SERVERS, TRAFFIC, 80, false).join("\n");
    const coloured = drawRelease(view, SERVERS, TRAFFIC, 80, true).join("\n");
    expect(plain).not.toContain("\u001b");
    expect(coloured).toContain("\u001b[33m▶ shifting 10 %\u001b[39m");
    // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
    expect(coloured.replaceAll(/\u001b\[\d+m/g, "")).toBe(plain);
  });

  it("tells dead servers with their last error, and lets nobody write to the terminal", () => {
    const dead = {
      ...up("group1", "10.0.4.175:80"),
      state: "dead",
      lastError: "\u001b]0;owned\u0007 refused\nby all",
    };
    const lines = drawRelease(shown(play()), [dead as ServerRow], [], 80, false);
    expect(lines).toContain("  10.0.4.175:80  dead  0 in flight    ]0;owned refused by all");
  });

  it("does without servers and traffic that nobody tells", () => {
    const lines = drawRelease(shown(play()), [], [], 80, false);
    expect(lines).toContain("group1  out, serves nobody");
  });
});
