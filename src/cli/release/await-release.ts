import type { Command } from "commander";
import type { ReleaseJson } from "../../admin/release-schemas.ts";
import { parseDuration } from "../../config/duration.ts";
import type { AdminClient } from "../admin-client.ts";
import { printJson, printLine, type CliContext } from "../cli-context.ts";
import { CliFailure } from "../cli-failure.ts";
import { isReached, PHASES, placeMeant, type CoursePhase } from "../../core/release-course.ts";
import { looksAt, pastRelease, pauseOf } from "./release-looks.ts";
import { needOf } from "./release-need.ts";
import { changeKey, lineOf, phaseInWords, printable } from "./release-words.ts";

/** How long servers may fail their checks before a person is called. They may still be starting. */
const LONGEST_START = 5 * 60_000;

export interface AwaitOptions {
  readonly until?: string;
  readonly wait?: string | true;
  readonly every?: string;
  readonly json?: boolean;
}

/** Adds `--wait` and `--every`; `--until` with `phases`. */
export function withAwait(command: Command, phases: boolean): Command {
  if (phases) {
    command.option(
      "--until <phase>",
      `until it has reached ${PHASES.slice(0, -1).join(", ")} or ${PHASES.at(-1)!}`,
    );
  }
  return command
    .option("--wait [duration]", "until the end (or --until), at most this long (30m; default: for ever)")
    .option("--every <duration>", "how often to look (1s)")
    .option("--json", "as JSON: the release as it is at the end of the command");
}

/** What these options ask for, checked before anything is said to a release. */
export interface Awaited {
  /** Undefined: nothing is waited for. */
  readonly goal: CoursePhase | "rolledBack" | undefined;
  readonly every: number;
  /** In ms; undefined: for ever. */
  readonly atMost: number | undefined;
  readonly json: boolean;
}

export function awaited(options: AwaitOptions, end: "done" | "rolledBack" = "done"): Awaited {
  const { until, wait, every, json = false } = options;
  const phase = PHASES.find((one) => one === until);
  if (until !== undefined && phase === undefined) {
    throw new CliFailure(`found --until ${until}, expected one of ${PHASES.join(", ")}`, 2);
  }
  const atMost = typeof wait === "string" ? parseDuration(wait) : undefined;
  if (typeof wait === "string" && atMost === undefined) {
    throw new CliFailure(`found --wait ${wait}, expected no value, or a duration like 30m`, 2);
  }
  const goal = phase ?? (wait === undefined ? undefined : end);
  return { goal, every: pauseOf(every), atMost, json };
}

/**
 * Tells of the release, and waits for what was asked for: then it returns. Else a `CliFailure`: 3 when the release was
 * rolled back, 1 when it does not go on without a person, with what is needed; a script never hangs on one.
 */
export async function tellAndAwait(
  context: CliContext,
  client: AdminClient,
  first: ReleaseJson,
  asked: Awaited,
): Promise<void> {
  let last = first;
  try {
    if (asked.goal === undefined) {
      if (!asked.json) printLine(context, lineOf(first, Date.now()));
      return;
    }
    const tell = asked.json ? () => {} : teller(context);
    for await (const view of viewsOf(context, client, first, asked)) {
      last = view;
      tell(view);
      if (isOverFor(view, asked.goal, first)) return;
    }
  } finally {
    if (asked.json) printJson(context, last);
  }
}

/** Prints a line for each change. */
export function teller(context: CliContext): (view: ReleaseJson) => void {
  let told = "";
  return (view) => {
    const key = changeKey(view);
    if (key !== told) printLine(context, lineOf(view, Date.now()));
    told = key;
  };
}

async function* viewsOf(
  context: CliContext,
  client: AdminClient,
  first: ReleaseJson,
  { every, atMost }: Awaited,
): AsyncGenerator<ReleaseJson, void> {
  const begun = performance.now();
  let failingSince: { readonly step: number; readonly at: number } | undefined;
  yield first;
  let isAway = false;
  for await (const look of looksAt(client, first.app, { every })) {
    if (look.kind === "away") {
      if (!isAway) context.stderr.write(`halftone: ${look.reason}; looking again\n`);
      isAway = true;
    } else {
      const { view } = look;
      isAway = false;
      if (view.id !== first.id) throw await replacedBy(client, first, view);
      yield view;
      const isFailing = view.phase === "checking" && view.waitingFor === "health" && view.reason !== null;
      if (!isFailing) failingSince = undefined;
      else if (failingSince?.step !== view.step) failingSince = { step: view.step, at: performance.now() };
      else if (performance.now() - failingSince.at > LONGEST_START) {
        throw stopped(view, `the servers of ${view.group ?? ""} do not come up`, [
          [`halftone release rollback ${view.app}`, "goes back to the version before"],
        ]);
      }
    }
    if (atMost !== undefined && performance.now() - begun > atMost) {
      throw new CliFailure(`that time is over, and release ${first.id} of ${first.app} goes on`);
    }
  }
}

/** True: what was waited for is there. False: it goes on. Else it throws. */
function isOverFor(view: ReleaseJson, goal: CoursePhase | "rolledBack", first: ReleaseJson): boolean {
  if (view.status === "rolledBack") {
    if (goal === "rolledBack") return true;
    throw new CliFailure(
      printable(`release ${view.id} of ${view.app} was rolled back; ${view.reason ?? ""}`),
      3,
    );
  }
  if (goal !== "rolledBack" && isReached(view, placeMeant(first, goal))) return true;
  const need = needOf(view);
  if (need !== undefined) throw stopped(view, need.what, need.commands);
  return false;
}

function stopped(
  view: ReleaseJson,
  what: string,
  commands: readonly (readonly [command: string, does: string])[],
): CliFailure {
  const lines = commands.map(([command, does]) => `  ${command}    ${does}`);
  const reason = view.reason === null ? "" : ` (${printable(view.reason)})`;
  const head = `${view.app} ${view.version} does not go on from ${phaseInWords(view)} without a person: ${what}${reason}. Then:`;
  return new CliFailure([head, ...lines].join("\n"));
}

async function replacedBy(client: AdminClient, first: ReleaseJson, now: ReleaseJson): Promise<CliFailure> {
  const end = await pastRelease(client, first.app, first.id);
  const became = end?.status === "done" ? "is done" : "was rolled back";
  return new CliFailure(
    `release ${first.id} of ${first.app} ${became}, and another one, ${now.id}, has begun since`,
    end?.status === "rolledBack" ? 3 : 1,
  );
}
