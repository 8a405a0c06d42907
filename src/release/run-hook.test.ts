import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../../test/e2e/harness/until.ts";
import type { HookSettings, HookTask } from "./hook-runner.ts";
import { hookRunner } from "./run-hook.ts";
import { FakeTime } from "./time.fixture.ts";

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const ENVIRONMENT = { PATH: process.env["PATH"], HOME: "/somewhere", HALFTONE_TOKEN: "secret" };
const SERVERS = ["10.0.4.175:80", "10.0.4.176:80", "[fd00::1]:80"];

function task(action: HookSettings["action"], hook: Partial<HookSettings> = {}): HookTask {
  return {
    hook: { name: "deploy", action, per: "group", timeout: 60_000, idempotent: false, ...hook },
    kind: "update",
    run: "run-1",
    release: "r-1",
    app: "shop",
    version: "2.4.0; rm -rf $HOME",
    group: "blue",
    servers: SERVERS,
  };
}

function shell(script: string, hook: Partial<HookSettings> = {}): HookTask {
  return task({ kind: "command", command: ["/bin/sh", "-c", script, "sh"] }, hook);
}

function start(hook: HookTask): {
  readonly time: FakeTime;
  readonly lines: string[];
  readonly run: ReturnType<ReturnType<typeof hookRunner>["run"]>;
  /** Resolves with the next line that begins so. */
  line(begin: string): Promise<string>;
} {
  const time = new FakeTime();
  const lines: string[] = [];
  let wake = (): void => {};
  const run = hookRunner({ time, environment: ENVIRONMENT }).run(hook, (line) => {
    lines.push(line);
    wake();
  });
  open.push(() => run.stop());
  return {
    time,
    lines,
    run,
    async line(begin) {
      for (;;) {
        const found = lines.find((line) => line.startsWith(begin));
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** Moves the time on whenever somebody looks again whether a process group is gone. */
async function looking<T>(time: FakeTime, wanted: Promise<T>): Promise<T> {
  for (;;) {
    const over = await Promise.race([wanted.then(() => true), time.awaited(50).then(() => false)]);
    if (over) return wanted;
    time.advance(50);
  }
}

/** A zombie is over too: nobody may be there to collect it. */
function isOver(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return !existsSync(file) || /\) [ZX] /.test(readFileSync(file, "utf8"));
}

describe("a command", () => {
  it("is run without a shell, with these variables and no others", async () => {
    const program = [
      process.execPath,
      "-p",
      "JSON.stringify([process.argv.slice(1), process.env])",
      "a b;$X",
    ];
    const { run, lines } = start(task({ kind: "command", command: program }));
    expect(await run.ended).toMatchObject({ outcome: "done" });
    const [args, environment] = JSON.parse(lines[0] ?? "") as [string[], Record<string, string>];
    expect(args).toEqual(["a b;$X"]);
    expect(environment).toEqual({
      PATH: process.env["PATH"],
      HOME: "/somewhere",
      HALFTONE_APP: "shop",
      HALFTONE_GROUP: "blue",
      HALFTONE_SERVERS: "10.0.4.175:80 10.0.4.176:80 [fd00::1]:80",
      HALFTONE_VERSION: "2.4.0; rm -rf $HOME",
      HALFTONE_RELEASE: "r-1",
      HALFTONE_HOOK: "update",
      HALFTONE_RUN: "run-1",
    });
  });

  it("tells how it ended and what it printed last", async () => {
    const { run } = start(shell("seq 1 30; echo broken >&2; exit 3"));
    const { outcome, detail, output } = await run.ended;
    expect(outcome).toBe("failed");
    const told = detail.split("\n");
    expect(told[0]).toBe("update hook deploy: exit code 3");
    expect(told).toHaveLength(21);
    expect(told).toContain("broken");
    expect(output?.split("\n")).toHaveLength(31);
    expect((await start(shell("kill -9 $$")).run.ended).detail).toBe("update hook deploy: signal SIGKILL");
    expect(await start(shell("true")).run.ended).toMatchObject({ detail: "update hook deploy: exit code 0" });
  });

  it("that cannot be started has failed", async () => {
    const missing = start(task({ kind: "command", command: ["/nowhere/deploy"] }));
    expect(await missing.run.ended).toEqual({
      outcome: "failed",
      detail: "update hook deploy: could not be started: ENOENT",
    });
    const unfit = start(task({ kind: "command", command: ["echo", "\0"] }));
    expect((await unfit.run.ended).detail).toContain("could not be started: ERR_INVALID_ARG_VALUE");
  });

  it("is ended at its time limit with all that it has started", async () => {
    const hook = start(shell("sleep 1000 & echo $!; sleep 1000", { timeout: 90_000 }));
    const pid = Number(await hook.line(""));
    hook.time.advance(89_999);
    expect(isOver(pid)).toBe(false);
    hook.time.advance(1);
    const { outcome, detail } = await looking(hook.time, hook.run.ended);
    expect(outcome).toBe("failed");
    expect(detail).toMatch(/^update hook deploy: not ended within 90 s, then signal SIGTERM\n/);
    await until("the process to be over", () => isOver(pid));
  });

  it("that does not listen to SIGTERM is killed 5 s later", async () => {
    const hook = start(shell("trap '' TERM; sleep 1000 & echo $!; while :; do sleep 1000; done"));
    const pid = Number(await hook.line(""));
    hook.run.stop();
    hook.time.advance(4999);
    expect(isOver(pid)).toBe(false);
    hook.time.advance(1);
    expect((await looking(hook.time, hook.run.ended)).detail).toMatch(/: stopped, then signal SIGKILL\n/);
    await until("the process to be over", () => isOver(pid));
  });

  it("that ends itself does not leave behind what ignores SIGTERM", async () => {
    const script = "(trap '' TERM; echo child; while :; do sleep 1000; done) & echo pid $!; wait";
    const hook = start(shell(script));
    await hook.line("child");
    const pid = Number((await hook.line("pid")).slice(4));
    hook.run.stop();
    await hook.time.awaited(50);
    expect(isOver(pid)).toBe(false);
    expect(await looking(hook.time, hook.run.ended)).toMatchObject({ outcome: "failed" });
    await until("the process to be over", () => isOver(pid));
  });

  it("may leave a server behind that holds its output open", async () => {
    const hook = start(shell("sleep 1000 & echo pid $!; printf 'no end of line'"));
    const pid = Number((await hook.line("pid")).slice(4));
    open.push(() => process.kill(pid, "SIGKILL"));
    await hook.time.awaited(100);
    hook.run.stop();
    hook.time.advance(100);
    expect((await hook.run.ended).detail).toBe(`update hook deploy: exit code 0\npid ${pid}\nno end of line`);
    expect(isOver(pid)).toBe(false);
  });
});

describe("a hook for each server", () => {
  it("is run in order, one after the other", async () => {
    const { run, lines } = start(shell('echo "at $HALFTONE_SERVER$HALFTONE_SERVERS"', { per: "server" }));
    expect(await run.ended).toMatchObject({
      outcome: "done",
      detail: expect.stringMatching(/^update hook deploy for each of 3 servers: exit code 0\n/) as string,
    });
    expect(lines).toEqual(SERVERS.map((server) => `${server}: at ${server}`));
  });

  it("ends at the first that fails, and names it and those before", async () => {
    const script = 'case "$HALFTONE_SERVER" in *176*) echo no; exit 1;; esac';
    const { detail } = await start(shell(script, { per: "server" })).run.ended;
    expect(detail).toBe(
      "update hook deploy at 10.0.4.176:80: exit code 1 (done before: 10.0.4.175:80; not begun: 1)\nno",
    );
  });

  it("is not begun for the next one after a stop", async () => {
    const hook = start(shell("echo begun; sleep 1000", { per: "server" }));
    await hook.line("10.0.4.175:80: begun");
    hook.run.stop();
    const { detail } = await looking(hook.time, hook.run.ended);
    expect(detail).toContain(
      "at 10.0.4.175:80: stopped, then signal SIGTERM (none was done before; not begun: 2)",
    );
    expect(hook.lines).toHaveLength(1);
  });
});

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `answers`: a status for each call, "cut" for none; the last one for all further ones. */
async function receiver(
  ...answers: readonly (number | "cut" | "never")[]
): Promise<{ readonly url: string; readonly calls: Call[]; called(times: number): Promise<void> }> {
  const calls: Call[] = [];
  let wake = (): void => {};
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const answer = answers[Math.min(calls.length, answers.length - 1)]!;
      calls.push({ headers: request.headers, body });
      wake();
      if (answer === "cut") request.socket.destroy();
      else if (answer !== "never") {
        response.writeHead(answer, { location: "/elsewhere" }).end(`because \u001b[31m${"x".repeat(3000)}`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    calls,
    async called(times) {
      while (calls.length < times) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

async function secretFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "halftone-hook-"));
  open.push(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "secret"), "top secret\n");
  return join(folder, "secret");
}

describe("a webhook", () => {
  it("is posted, signed with time and key", async () => {
    const { url, calls } = await receiver(204);
    const { time, run } = start(task({ kind: "webhook", url, secretFile: await secretFile() }));
    expect(await run.ended).toEqual({ outcome: "done", detail: "update hook deploy: status 204" });
    const [{ headers, body } = { headers: {}, body: "" }] = calls;
    expect(JSON.parse(body)).toEqual({
      run: "run-1",
      hook: "update",
      app: "shop",
      group: "blue",
      servers: SERVERS,
      version: "2.4.0; rm -rf $HOME",
      release: "r-1",
    });
    const t = Math.floor(time.now() / 1000);
    const v1 = createHmac("sha256", "top secret").update(`${t}.${body}`).digest("hex");
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "idempotency-key": "run-1",
      "x-halftone-signature": `t=${t},v1=${v1}`,
    });
  });

  it("is posted for each server with a key of its own", async () => {
    const { url, calls } = await receiver(200);
    const hook = task({ kind: "webhook", url }, { per: "server" });
    const { run } = start({ ...hook, servers: ["10.0.4.175:80", "unix:/run/a b.sock"] });
    expect(await run.ended).toMatchObject({ outcome: "done" });
    expect(calls.map(({ headers }) => headers["idempotency-key"])).toEqual([
      "run-1/10.0.4.175:80",
      "run-1/unix:/run/a%20b.sock",
    ]);
    expect(JSON.parse(calls[1]?.body ?? "")).toMatchObject({ server: "unix:/run/a b.sock" });
    expect(JSON.parse(calls[1]?.body ?? "")).not.toHaveProperty("servers");
    expect(calls[0]?.headers).not.toHaveProperty("x-halftone-signature");
  });

  it.each([["cut"], [503], [429]] as const)("is tried again after %s, with the same key", async (fault) => {
    const { url, calls } = await receiver(fault, fault, 200);
    const { time, run } = start(task({ kind: "webhook", url, secretFile: await secretFile() }));
    await time.awaited(1000);
    time.advance(1000);
    await time.awaited(5000);
    time.advance(5000);
    expect(await run.ended).toEqual({ outcome: "done", detail: "update hook deploy: status 200 at try 3" });
    expect(new Set(calls.map(({ headers }) => headers["idempotency-key"]))).toEqual(new Set(["run-1"]));
    expect(new Set(calls.map(({ headers }) => headers["x-halftone-signature"])).size).toBe(3);
  });

  it("has failed after three tries", async () => {
    const { url, calls } = await receiver("cut");
    const { time, run } = start(task({ kind: "webhook", url }));
    await time.awaited(1000);
    time.advance(1000);
    await time.awaited(5000);
    time.advance(5000);
    expect((await run.ended).detail).toBe("update hook deploy: ECONNRESET (try 3)");
    expect(calls).toHaveLength(3);
  });

  it.each([302, 400, 404])("fails at once with status %i, which is not followed", async (status) => {
    const { url, calls } = await receiver(status);
    const { detail, outcome } = await start(task({ kind: "webhook", url })).run.ended;
    expect(outcome).toBe("failed");
    expect(detail).toMatch(new RegExp(`^update hook deploy: status ${status}: because x{400,500}$`));
    expect(calls).toHaveLength(1);
  });

  it("is ended at its time limit, and by a stop: in a call and in a pause", async () => {
    const silent = await receiver("never");
    const late = start(task({ kind: "webhook", url: silent.url }));
    await silent.called(1);
    late.time.advance(60_000);
    expect((await late.run.ended).detail).toBe("update hook deploy: not ended within 60 s");
    const broken = await receiver(500);
    const stopped = start(task({ kind: "webhook", url: broken.url }));
    await stopped.time.awaited(1000);
    stopped.run.stop();
    expect((await stopped.run.ended).detail).toBe("update hook deploy: stopped");
    expect(broken.calls).toHaveLength(1);
  });

  it("is not posted unsigned when its secret cannot be read", async () => {
    const { url, calls } = await receiver(200);
    const { run } = start(task({ kind: "webhook", url, secretFile: "/nowhere/secret" }));
    expect(await run.ended).toMatchObject({
      outcome: "failed",
      detail: "update hook deploy: secretFile: ENOENT",
    });
    expect(calls).toEqual([]);
  });
});
