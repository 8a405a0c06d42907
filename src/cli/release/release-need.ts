import type { ReleaseJson } from "../../admin/release-schemas.ts";

/** What a person has to do before a release goes on. */
export interface Need {
  readonly what: string;
  /** Commands that then move it, each with what it does. */
  readonly commands: readonly (readonly [command: string, does: string])[];
}

/** Undefined: nothing, it goes on by itself, or is over. */
export function needOf(view: ReleaseJson): Need | undefined {
  const { app, status, waitingFor } = view;
  if (status === "done" || status === "rolledBack") return undefined;
  const say = (word: string): string => `halftone release ${word} ${app}`;
  const back: readonly (readonly [string, string])[] =
    status === "rollingBack" ? [] : [[say("rollback"), "goes back to the version before"]];
  if (status === "paused" && waitingFor !== "continue") {
    return { what: "it was paused by a person", commands: [[say("resume"), "ends the pause"], ...back] };
  }
  if (waitingFor !== "continue") return undefined;
  const [what, does] = wantedIn(view);
  const again: readonly (readonly [string, string])[] = canBeRetried(view)
    ? [[say("retry"), "runs a hook again that failed"]]
    : [];
  return { what, commands: [...again, [say("continue"), does], ...back] };
}

/** In trouble nobody but its reason tells whether a hook failed: a retry that has nothing to repeat is refused. */
function canBeRetried({ status, phase }: ReleaseJson): boolean {
  return (status === "paused" && phase === "updating") || (status === "rollingBack" && phase === "restoring");
}

function wantedIn(view: ReleaseJson): readonly [what: string, does: string] {
  const group = view.group ?? "";
  const inTrouble = view.status === "paused";
  switch (view.phase) {
    case "draining":
      return [
        `requests on ${group} did not end in time`,
        "goes on all the same: they are cut when its servers stop",
      ];
    case "updating":
      return inTrouble
        ? [
            `the hook did not update ${group}`,
            "goes on: repeats the hook if it failed, takes its work as done if nobody knows",
          ]
        : [`update the servers of ${group} to ${view.version}`, "says that they are updated"];
    case "restoring":
      return [`bring the version before back to the servers of ${group}`, "says that they are restored"];
    case "testing":
      return [`look at ${group} as a tester`, "sends the first clients there, or merges it"];
    case "shifting":
      return inTrouble
        ? ["there is no verdict on the new version", "goes on without proof"]
        : [`${view.share} % of the clients are on ${group}: look at them`, "takes the next step"];
    case "holding":
      return ["decide: the other groups too, or back", "updates the other groups too"];
    case "checking":
    case "merging":
    case "done":
    case "rolledBack":
      return ["a person has to decide", "goes on"];
  }
}
