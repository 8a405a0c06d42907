import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBackends } from "./harness/backend.ts";
import { type CliResult, environmentOf, runCli } from "./harness/cli.ts";
import { freePort } from "./harness/free-port.ts";
import { type HalftoneProcess, startHalftone } from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";
import { CONVERTED, ORIGINAL } from "../original-documents.ts";

describe("the command line", () => {
  const scene = openScene(afterAll);
  let halftone: HalftoneProcess;
  let folder: string;

  beforeAll(async () => {
    const [backend] = await startBackends(scene, ["127.0.4.71", "127.0.4.72"]);
    halftone = await startHalftone(scene);
    folder = await scene.folder();
    await writeFile(
      join(folder, "shop.yaml"),
      [
        "name: shop",
        `port: ${backend!.port}`,
        "groups:",
        "  blue: {servers: [127.0.4.71]}",
        "  green: {servers: [127.0.4.72]}",
        "testers: [127.0.0.111, {header: x-tester, equals: '1'}]",
      ].join("\n"),
    );
    await writeFile(join(folder, "original.json"), JSON.stringify(ORIGINAL));
    await writeFile(
      join(folder, "bad.yaml"),
      "name: bad\ngroups: {blue: {servers: [127.0.4.300], wieght: 3}}\n",
    );
  });

  /** Against the running gateway, in the folder of the files. */
  const halftoneCli = (...args: readonly string[]): Promise<CliResult> =>
    runCli(args, { cwd: folder, env: environmentOf(halftone) });

  async function json(...args: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await halftoneCli(...args, "--json");
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as unknown;
  }

  it("applies a document, and says what became of it", async () => {
    const created = await halftoneCli("app", "apply", "-f", "shop.yaml");
    expect(created).toMatchObject({ code: 0, stderr: "" });
    expect(created.stdout).toMatch(/shop.*created/);
    const again = await halftoneCli("app", "apply", "-f", "shop.yaml");
    expect(again.code).toBe(0);
    expect(JSON.stringify(await json("app", "list"))).toContain('"shop"');
    expect((await halftoneCli("app", "list")).stdout).toContain("shop");
  });

  it("applies what comes on standard input", async () => {
    const text = JSON.stringify({ ...ORIGINAL, routes: [{ host: "old.example" }] });
    const result = await runCli(["app", "apply", "-f", "-"], {
      cwd: folder,
      env: environmentOf(halftone),
      stdin: text,
    });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(await json("app", "show", "my_object")).toMatchObject({ name: "my_object" });
  });

  it("refuses a document with mistakes, all of them at once, and leaves what stands", async () => {
    const result = await halftoneCli("app", "apply", "-f", "bad.yaml");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("groups.blue.servers[0]");
    expect(result.stderr).toContain("wieght");
    expect((await halftoneCli("app", "show", "bad")).code).toBe(1);
  });

  it("shows a document that can be applied as it is", async () => {
    const shown = await halftoneCli("app", "show", "shop");
    expect(shown.code).toBe(0);
    const before = await json("app", "show", "shop");
    await writeFile(join(folder, "shown.yaml"), shown.stdout);
    expect((await halftoneCli("app", "apply", "-f", "shown.yaml")).code).toBe(0);
    expect(await json("app", "show", "shop")).toEqual(before);
    expect(before).toMatchObject({ name: "shop", groups: { blue: {}, green: {} } });
  });

  it("turns the switch", async () => {
    const result = await halftoneCli("deploy", "shop", "2", "--share", "12.5");
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(await json("app", "show", "shop")).toMatchObject({ deploy: 2, share: 12.5 });

    const refused = await halftoneCli("deploy", "shop", "3");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("deploy");
    expect(await json("app", "show", "shop")).toMatchObject({ deploy: 2, share: 12.5 });
    expect((await halftoneCli("deploy", "nobody", "1")).code).toBe(1);
  });

  it("explains where a client is sent, and why", async () => {
    await halftoneCli("deploy", "shop", "2");
    const tester = await halftoneCli("explain", "shop", "--ip", "127.0.0.111");
    expect(tester).toMatchObject({ code: 0, stderr: "" });
    expect(tester.stdout).toContain("green");
    const byHeader = await halftoneCli("explain", "shop", "--ip", "203.0.113.9", "--header", "X-Tester: 1");
    expect(byHeader.stdout).toContain("green");
    const explained = JSON.stringify(await json("explain", "shop", "--ip", "203.0.113.9"));
    expect(explained).toContain("blue");
    expect((await halftoneCli("explain", "shop", "--ip", "nowhere")).code).not.toBe(0);
  });

  it("tells the status", async () => {
    const text = await halftoneCli("status");
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toContain("shop");
    expect(JSON.stringify(await json("status"))).toContain("127.0.4.71");
  });

  it("checks a configuration and its documents without a gateway", async () => {
    await writeFile(join(folder, "halftone.yaml"), "gateway: {listen: 127.0.0.1:0}\napps: [./shop.yaml]\n");
    expect((await halftoneCli("check", "-c", "halftone.yaml")).code).toBe(0);

    await writeFile(join(folder, "wrong.yaml"), "gateway: {lisen: 1}\napps: [./shop.yaml, ./bad.yaml]\n");
    const wrong = await halftoneCli("check", "-c", "wrong.yaml");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr + wrong.stdout).toContain("lisen");
    const missing = await halftoneCli("check", "-c", "nowhere.yaml");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("nowhere.yaml");
  });

  it("converts the original's document to exactly the original's Redis value", async () => {
    const { code, stdout } = await runCli(["app", "convert", "original.json"], { cwd: folder });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(CONVERTED);
  });

  it("deletes", async () => {
    expect((await halftoneCli("app", "delete", "my_object")).code).toBe(0);
    expect((await halftoneCli("app", "show", "my_object")).code).toBe(1);
    expect((await halftoneCli("app", "delete", "my_object")).code).toBe(1);
  });

  it("exits with 2 for what it does not understand", async () => {
    for (const args of [["frobnicate"], ["deploy", "shop"], ["app", "apply"], ["status", "--colour"]]) {
      const { code, stderr, stdout } = await halftoneCli(...args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).not.toBe("");
    }
  });

  it("exits with 1 and says where it looked when there is no gateway, or not for this token", async () => {
    const admin = `http://127.0.0.1:${await freePort("127.0.0.1")}`;
    const nobody = await runCli(["app", "list", "--admin", admin, "--token", "x"], { cwd: folder });
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain(admin);

    const stranger = await halftoneCli("app", "list", "--token", "wrong");
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toMatch(/token/i);
  });

  it("finds the token in the data folder", async () => {
    const { code } = await runCli(["app", "list", "--admin", halftone.adminUrl], {
      cwd: halftone.site.folder,
    });
    expect(code).toBe(0);
  });

  it("says its version and its help", async () => {
    expect((await halftoneCli("--version")).stdout).toMatch(/^\d+\.\d+\.\d+/);
    const help = await halftoneCli("--help");
    expect(help.code).toBe(0);
    for (const command of ["serve", "check", "app", "deploy", "explain", "status"]) {
      expect(help.stdout).toContain(command);
    }
  });
});
