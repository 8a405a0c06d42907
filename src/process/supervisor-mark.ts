import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SupervisorMark } from "./messages.ts";

/**
 * Signs the data folder as this supervisor's. Workers whose supervisor was killed watch the file and leave when it
 * shows another one. It is removed when the supervisor stops in order, so finding one means that it did not.
 *
 * Throws an Error for people when the supervisor that signed it is still alive: two on one folder would overwrite each
 * other's documents, and each other's workers would leave.
 */
export function signSupervisor(dataFolder: string): SupervisorMark & { release(): void } {
  const file = join(dataFolder, "supervisor");
  const found = read(file);
  const other = Number.parseInt(found ?? "", 10);
  if (other !== process.pid && isSupervisor(other)) {
    throw new Error(
      `the data folder ${dataFolder} is in use by a halftone process that runs as pid ${other}; ` +
        "stop that one first, or give this one another folder (data:)",
    );
  }
  const id = `${process.pid} ${randomUUID()}\n`;
  writeFileSync(file, id);
  return {
    id,
    file,
    followsCrash: found !== undefined,
    release(): void {
      if (read(file) === id) rmSync(file, { force: true });
    },
  };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Is this process alive, and a halftone? A pid alone says little: after a restart of the machine it may be anybody's. */
function isSupervisor(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const command = read(`/proc/${pid}/cmdline`);
  // Without /proc there is nothing more to ask: better to refuse than to take the folder from a living one.
  return command === undefined || command.includes("halftone") || command.includes("cli/main.js");
}
