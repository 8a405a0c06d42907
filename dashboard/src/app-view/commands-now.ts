import type { ReleaseJson } from "../../../src/admin/release-schemas.ts";

export const COMMANDS = ["continue", "retry", "pause", "resume", "rollback"] as const;

export type Command = (typeof COMMANDS)[number];

/** Why a command would be refused now. */
export type Obstacle =
  | "role"
  | "over"
  | "paused"
  | "notPaused"
  | "goesBack"
  | "guard"
  | "waitsForOther"
  | "nothingFailed"
  | "lost";

export interface Circumstances {
  readonly isOperator: boolean;
  readonly isLost: boolean;
}

/**
 * What stands in the way of each command; undefined: nothing that can be seen from here. It follows `core/release-commands.ts`,
 * which has the last word.
 */
export function obstacleTo(
  command: Command,
  view: ReleaseJson,
  circumstances: Circumstances,
): Obstacle | undefined {
  if (!circumstances.isOperator) return "role";
  if (circumstances.isLost) return "lost";
  if (view.status === "done" || view.status === "rolledBack") return "over";
  const isPausedByPerson = view.status === "paused" && view.waitingFor !== "continue";
  const goesBack = view.status === "rollingBack";
  switch (command) {
    case "continue":
      if (isPausedByPerson) return "paused";
      if (view.waitingFor === "continue") return undefined;
      // On the way back health checks may be passed over.
      if (goesBack && view.waitingFor === "health") return undefined;
      if (view.waitingFor !== null) return "waitsForOther";
      // What a guard has kept from going on may be tried again.
      return waitsForPerson(view) ? undefined : "guard";
    case "retry":
      if (isPausedByPerson) return "paused";
      return canBeRetried(view) ? undefined : "nothingFailed";
    case "pause":
      if (goesBack) return "goesBack";
      return isPausedByPerson ? "paused" : undefined;
    case "resume":
      return isPausedByPerson ? undefined : "notPaused";
    case "rollback":
      return goesBack ? "goesBack" : undefined;
  }
}

/** A hook has failed, or nobody knows how it ended. */
function canBeRetried({ status, phase, waitingFor, reason }: ReleaseJson): boolean {
  if (waitingFor !== "continue" || reason === null) return false;
  return (status === "paused" && phase === "updating") || (status === "rollingBack" && phase === "restoring");
}

/** By its plan a person ends this step. */
function waitsForPerson({ phase, share, plan }: ReleaseJson): boolean {
  const kind = { testing: "testers", shifting: "share", holding: "hold" }[phase as string];
  const step = plan.steps.find((one) => one.kind === kind && (one.kind !== "share" || one.share === share));
  return step?.wait.until === "continue";
}
