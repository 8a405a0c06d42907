import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SupervisorMark } from "./messages.ts";

/**
 * Signs the data folder as this supervisor's. Workers whose supervisor was killed watch the file and leave when it
 * shows another one. It is removed when the supervisor stops in order, so finding one means that it did not.
 */
export function signSupervisor(dataFolder: string): SupervisorMark & { release(): void } {
  const file = join(dataFolder, "supervisor");
  const id = `${process.pid} ${randomUUID()}\n`;
  const followsCrash = exists(file);
  writeFileSync(file, id);
  return {
    id,
    file,
    followsCrash,
    release(): void {
      if (exists(file) && readFileSync(file, "utf8") === id) rmSync(file, { force: true });
    },
  };
}

function exists(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
