import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { OutputTail } from "./output-tail.ts";
import type { Time } from "./time.ts";

/** From SIGTERM to SIGKILL. */
const GRACE = 5000;
/** How often is looked whether a group that was sent SIGTERM is gone. */
const LOOK = 50;
/** What a program printed last is in the pipe when it ends; a process that it left behind may hold that open. */
const LAST_OUTPUT = 100;

/** One part of a hook's run: for the group, or for one server. */
export interface Part {
  readonly ended: Promise<PartOutcome>;
  /** `ended` then resolves as failed, with that as its reason. */
  stop(why: string): void;
}

export interface PartOutcome {
  readonly done: boolean;
  /** "exit code 3", "status 500: …". */
  readonly how: string;
  /** What was printed. */
  readonly output?: OutputTail;
}

/**
 * A program without a shell, in a process group of its own: a stop reaches what it has started too, and a Ctrl-C at the
 * gateway's terminal does not reach it. Whatever of the group still lives after a success is let be: it may be the server.
 */
export function runCommand(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  time: Time,
  onLine: (line: string) => void,
): Part {
  const output = new OutputTail(onLine);
  const [program = "", ...args] = command;
  let child: ChildProcess;
  try {
    child = spawn(program, args, { detached: true, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    // A version with a NUL, say: spawn throws instead of telling.
    return { ended: Promise.resolve(notStarted(error as Error)), stop: () => {} };
  }
  let stopped: string | undefined;
  let stop = (_why: string): void => {};
  const ended = new Promise<PartOutcome>((resolve) => {
    const timers = new Set<() => void>();
    const settle = (outcome: PartOutcome): void => {
      stop = () => {};
      for (const cancel of timers) cancel();
      resolve(outcome);
    };
    const finishOutput = readOutput(child, output);
    const finish = (how: string, done: boolean): void => {
      const cause = stopped === undefined ? how : `${stopped}, then ${how}`;
      void finishOutput(time).then(() => settle({ done, how: cause, output }));
    };
    child.on("error", (error) => {
      if (child.pid === undefined) settle(notStarted(error));
    });
    child.on("exit", (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      if (stopped !== undefined) return whenGone(() => finish(how, false));
      // From here on a stop comes too late: it would end what the program has started.
      stop = () => {};
      finish(how, code === 0);
    });
    stop = (why) => {
      if (stopped !== undefined || child.pid === undefined) return;
      stopped = why;
      signalGroup(child.pid, "SIGTERM");
      timers.add(
        time.after(GRACE, () => {
          signalGroup(child.pid!, "SIGKILL");
        }),
      );
    };

    /** What the program has started may take longer to end than the program, until SIGKILL. */
    function whenGone(then: () => void): void {
      const deadline = time.now() + GRACE;
      const look = (): void => {
        if (!groupLives(child.pid!) || time.now() >= deadline) return then();
        timers.add(time.after(LOOK, look));
      };
      look();
    }
  });
  return { ended, stop: (why) => stop(why) };
}

/** Reads both streams; what is returned resolves when nothing more is to be expected. */
function readOutput(child: ChildProcess, output: OutputTail): (time: Time) => Promise<void> {
  const streams = [child.stdout, child.stderr].flatMap((stream) => (stream === null ? [] : [stream]));
  const readers = streams.map((stream) => {
    const lines = output.stream();
    let over = false;
    const end = (): void => {
      if (!over) lines.end();
      over = true;
    };
    // Read on, and thrown away, after the end: whoever is left holding the pipe is not to be blocked by it.
    stream.on("data", (bytes: Buffer) => {
      if (!over) lines.write(bytes);
    });
    const closed = new Promise<void>((resolve) => {
      stream.on("error", resolve);
      stream.on("close", resolve);
    });
    return { end, closed };
  });
  return async (time) => {
    let cancel = (): void => {};
    const patience = new Promise<void>((resolve) => {
      cancel = time.after(LAST_OUTPUT, resolve);
    });
    await Promise.race([Promise.all(readers.map(({ closed }) => closed)), patience]);
    cancel();
    for (const { end } of readers) end();
    // Nor does it keep the gateway from ending.
    for (const stream of streams) (stream as Socket).unref();
  };
}

function notStarted(error: Error): PartOutcome {
  return {
    done: false,
    how: `could not be started: ${(error as NodeJS.ErrnoException).code ?? error.message}`,
  };
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It is gone, which is what was wanted.
  }
}

function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
