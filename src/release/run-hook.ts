import { callWebhook } from "./call-webhook.ts";
import type { HookOutcome, HookRun, HookRunner, HookTask } from "./hook-runner.ts";
import type { OutputTail } from "./output-tail.ts";
import { runCommand, type Part, type PartOutcome } from "./run-command.ts";
import { REAL_TIME, type Time } from "./time.ts";

/** Of the end of the output, what an outcome tells: it is stored with the release. */
const LINES_TOLD = 20;
const CHARACTERS_TOLD = 2000;

/** What of the gateway's environment a command sees. Not more: it holds tokens and passwords. */
const INHERITED = ["PATH", "HOME", "LANG"];

export interface Surroundings {
  readonly time: Time;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function hookRunner(
  surroundings: Surroundings = { time: REAL_TIME, environment: process.env },
): HookRunner {
  return { run: (task, onOutput = () => {}) => runHook(task, onOutput, surroundings) };
}

/** Where a hook is run: for the whole group, or for one of its servers. */
type Place = string | undefined;

function runHook(task: HookTask, onOutput: (line: string) => void, surroundings: Surroundings): HookRun {
  let stopped = false;
  let current: Part | undefined;
  const places: readonly Place[] = task.hook.per === "server" ? task.servers : [undefined];

  async function runAll(): Promise<HookOutcome> {
    const done: string[] = [];
    let output: OutputTail | undefined;
    let how = "there was nothing to do";
    for (const place of places) {
      if (stopped) return failure(place, "stopped before it began", done, undefined);
      const onLine = place === undefined ? onOutput : (line: string) => onOutput(`${place}: ${line}`);
      current = begin(task, place, onLine, surroundings);
      const outcome = await withinLimit(current, task.hook.timeout, surroundings.time);
      current = undefined;
      how = outcome.how;
      output = outcome.output;
      if (!outcome.done) return failure(place, how, done, output);
      if (place !== undefined) done.push(place);
    }
    const where = task.hook.per === "server" ? ` for each of ${count(done.length, "server")}` : "";
    return told("done", `${nameOf(task)}${where}: ${how}`, output);
  }

  function failure(
    place: Place,
    how: string,
    done: readonly string[],
    output: OutputTail | undefined,
  ): HookOutcome {
    if (place === undefined) return told("failed", `${nameOf(task)}: ${how}`, output);
    const before = done.length === 0 ? "none was done before" : `done before: ${done.join(", ")}`;
    const left = places.length - done.length - 1;
    const after = left === 0 ? "" : `; not begun: ${left}`;
    return told("failed", `${nameOf(task)} at ${place}: ${how} (${before}${after})`, output);
  }

  return {
    ended: runAll().catch((error: unknown) => ({
      outcome: "failed",
      detail: `${nameOf(task)}: ${String(error)}`,
    })),
    stop() {
      stopped = true;
      current?.stop("stopped");
    },
  };
}

function begin(
  task: HookTask,
  place: Place,
  onLine: (line: string) => void,
  { time, environment }: Surroundings,
): Part {
  const { action } = task.hook;
  if (action.kind === "command") {
    return runCommand(action.command, environmentOf(task, place, environment), time, onLine);
  }
  const { url, secretFile } = action;
  const key = place === undefined ? task.run : `${task.run}/${place}`;
  return callWebhook(
    { url, key, body: bodyOf(task, place), ...(secretFile !== undefined && { secretFile }) },
    time,
  );
}

async function withinLimit(part: Part, limit: number, time: Time): Promise<PartOutcome> {
  const cancel = time.after(limit, () => part.stop(`not ended within ${limit / 1000} s`));
  try {
    return await part.ended;
  } finally {
    cancel();
  }
}

function environmentOf(
  task: HookTask,
  place: Place,
  gateways: Surroundings["environment"],
): Readonly<Record<string, string>> {
  const inherited = INHERITED.flatMap((name) => {
    const value = gateways[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    HALFTONE_APP: task.app,
    HALFTONE_GROUP: task.group,
    ...(place === undefined ? { HALFTONE_SERVERS: task.servers.join(" ") } : { HALFTONE_SERVER: place }),
    HALFTONE_VERSION: task.version,
    HALFTONE_RELEASE: task.release,
    HALFTONE_HOOK: task.kind,
    HALFTONE_RUN: task.run,
  };
}

function bodyOf({ run, kind, app, group, servers, version, release }: HookTask, place: Place): string {
  const where = place === undefined ? { servers } : { server: place };
  return JSON.stringify({ run, hook: kind, app, group, ...where, version, release });
}

/** Arguments and URLs may hold secrets: a hook is told by its name. */
function nameOf({ kind, hook }: HookTask): string {
  return `${kind} hook ${hook.name}`;
}

function told(outcome: HookOutcome["outcome"], summary: string, output: OutputTail | undefined): HookOutcome {
  if (output === undefined) return { outcome, detail: summary };
  const lines = output.lastLines(LINES_TOLD, CHARACTERS_TOLD);
  return { outcome, detail: [summary, ...lines].join("\n"), output: output.text };
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}
