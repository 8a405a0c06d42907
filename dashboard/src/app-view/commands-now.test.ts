import { describe, expect, it } from "vitest";
import { releaseJson } from "../../../src/admin/release-schemas.ts";
import { describe as viewOf } from "../../../src/core/release-view.ts";
import { FROZEN, GOOD, MINUTE, PLAN, play, type Player } from "../../../src/core/release.fixture.ts";
import { transition } from "../../../src/core/release.ts";
import { COMMANDS, type Command, obstacleTo } from "./commands-now.ts";

const FREE = { isOperator: true, isLost: false };

const seen = ({ state, now }: Player): ReturnType<typeof releaseJson> => releaseJson(viewOf(state, now));

function isTaken(player: Player, type: Command): boolean {
  return transition(player.state, { type, by: "ann", facts: GOOD }, player.now).kind === "next";
}

/** Steps that may happen to a release, chosen by a number. */
function stumble(player: Player, dice: number): void {
  const { state, now } = player;
  const run = "work" in state.stage && state.stage.work.kind === "hook" ? state.stage.work.run : undefined;
  switch (dice % 9) {
    case 0:
      player.say("pause");
      return;
    case 1:
      player.say("resume");
      return;
    case 2:
      if (dice % 5 === 0) player.say("rollback");
      return;
    case 3:
      player.facts = player.facts === FROZEN ? GOOD : FROZEN;
      return;
    case 4:
      if (run !== undefined) {
        player.report({ type: "hookBegun", run });
        player.report({ type: "hookEnded", run, outcome: "failed", detail: "1" });
      }
      return;
    case 5:
      player.wait(40 * MINUTE);
      return;
    case 6:
      player.say("continue");
      return;
    default:
      forward(player, now);
  }
}

function forward(player: Player, now: number): void {
  const { step, change, stage } = player.state;
  player.report({ type: "converged", change });
  player.report({ type: "drain", step, idle: true, busy: [] });
  player.report({ type: "health", step, servers: [{ id: "10.0.0.1:80", passed: 3 }] });
  if ("work" in stage && stage.work.kind === "hook") {
    player.report({ type: "hookBegun", run: stage.work.run });
    player.report({ type: "hookEnded", run: stage.work.run, outcome: "done", detail: "0" });
  }
  if (player.now === now) player.wait(MINUTE);
}

describe("what stands in the way of a command", () => {
  it.each([{}, { update: "deploy", restore: "undo" }, { update: "again" }])(
    "is what the machine would refuse, wherever a release can be: %j",
    (hooks) => {
      const visited = new Set<string>();
      let dice = 12345;
      for (let round = 0; round < 150; round += 1) {
        const player = play(hooks);
        for (let move = 0; move < 60; move += 1) {
          dice = (dice * 1103515245 + 12345) % 2147483648;
          stumble(player, dice >>> 7);
          const view = seen(player);
          visited.add(`${view.status} ${view.phase} ${view.waitingFor}`);
          for (const command of COMMANDS) {
            // Said again it changes nothing, and is not refused: there is no reason to offer it.
            if (command === "rollback" && view.status === "rollingBack") continue;
            // Nothing in a view tells a hook that failed from a person who is waited for on the way back.
            if (command === "retry" && view.status === "rollingBack" && view.phase === "restoring") continue;
            const obstacle = obstacleTo(command, view, FREE);
            expect(
              [command, obstacle === undefined, isTaken(player, command)],
              `${obstacle} at ${JSON.stringify([player.state.stage, player.state.trouble, view.status, view.waitingFor])}`,
            ).toEqual([command, isTaken(player, command), isTaken(player, command)]);
          }
        }
      }
      expect(visited.size).toBeGreaterThan(15);
    },
  );

  it("is the role of who looks only, and a lost connection, before anything else", () => {
    const view = seen(play({ plan: PLAN }).until("testing"));
    for (const command of COMMANDS) {
      expect(obstacleTo(command, view, { isOperator: false, isLost: false })).toBe("role");
      expect(obstacleTo(command, view, { isOperator: true, isLost: true })).toBe("lost");
    }
  });
});
