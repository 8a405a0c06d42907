import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { signSupervisor } from "./supervisor-mark.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "halftone-mark-"));
  folders.push(made);
  return made;
}

describe("signSupervisor", () => {
  it("follows no crash where the one before stopped in order", () => {
    const data = folder();
    const first = signSupervisor(data);
    expect(first.followsCrash).toBe(false);
    first.release();
    expect(signSupervisor(data).followsCrash).toBe(false);
  });

  it("follows a crash where a mark is left of a process that is gone, and leaves a newer mark alone", () => {
    const data = folder();
    writeFileSync(join(data, "supervisor"), "4194305 gone\n");
    const mark = signSupervisor(data);
    expect(mark.followsCrash).toBe(true);
    writeFileSync(mark.file, "somebody else");
    mark.release();
    expect(readFileSync(mark.file, "utf8")).toBe("somebody else");
  });

  it("is refused while the process that signed is alive", async () => {
    const data = folder();
    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "halftone"]);
    const exited = new Promise((resolve) => other.once("exit", resolve));
    await new Promise((resolve) => other.once("spawn", resolve));
    writeFileSync(join(data, "supervisor"), `${other.pid} alive\n`);
    try {
      expect(() => signSupervisor(data)).toThrow(`runs as pid ${other.pid}`);
      expect(readFileSync(join(data, "supervisor"), "utf8")).toBe(`${other.pid} alive\n`);
    } finally {
      other.kill();
      await exited;
    }
    expect(signSupervisor(data).followsCrash).toBe(true);
  });
});
