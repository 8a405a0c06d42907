import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { runAdmin, TEST_TOKEN, type RunningAdmin } from "../admin/running-admin.ts";
import { read, ROOT } from "../markdown.ts";
import { CLI } from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";

const GROUPS = { group1: { servers: ["10.0.0.1"] }, group2: { servers: ["10.0.0.2"] } };
const FOLDER = "examples/release";

interface Bench {
  readonly admin: RunningAdmin;
  /** Runs the text as a CI does, and tells its exit code. */
  bash(text: string, ...args: string[]): Promise<{ readonly code: number; readonly output: string }>;
}

/** The built command line on the path, and a test that counts how often it was asked, and fails the `failing`th time. */
async function openBench(failing = 0): Promise<Bench> {
  const scene = openScene(onTestFinished);
  const admin = await runAdmin();
  scene.defer(() => admin.stop());
  await admin.store.put("shop", { name: "shop", groups: GROUPS }, "any", "test");
  admin.releases.moves = true;
  const folder = await scene.folder();
  const script = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, name), `#!/usr/bin/env bash\n${text}\n`);
    await chmod(join(folder, name), 0o755);
  };
  await script(
    "halftone",
    `
case "$*" in *--until*|*--wait*) set -- "$@" --every 10ms;; esac
exec "${process.execPath}" "${CLI}" "$@"`,
  );
  await script(
    "smoke-test.sh",
    `echo tested >> "${folder}/tests"; [ $(wc -l < "${folder}/tests") -ne ${failing} ]`,
  );
  return {
    admin,
    bash: (text, ...args) =>
      new Promise((resolve) => {
        const { PATH = "" } = process.env;
        const env = {
          PATH: `${folder}:${PATH}`,
          HALFTONE_ADMIN: admin.url,
          HALFTONE_TOKEN: TEST_TOKEN,
          VERSION: "2.0",
        };
        const code = text.replaceAll("./smoke-test.sh", "smoke-test.sh");
        execFile(
          "bash",
          ["-eo", "pipefail", "-c", code, "ci", ...args],
          { cwd: ROOT, env, timeout: 25_000 },
          (error, stdout, stderr) => {
            resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
          },
        );
      }),
  };
}

const status = ({ admin }: Bench): string | undefined => admin.releases.view("shop")?.status;

describe("examples/release/release.sh", () => {
  const line = `${FOLDER}/release.sh shop 2.0 smoke-test.sh`;

  it("brings a version to both groups", async () => {
    const bench = await openBench();
    const { code, output } = await bench.bash(line);
    expect({ code, status: status(bench) }, output).toEqual({ code: 0, status: "done" });
  });

  it.each([1, 2])("goes back, and ends with 3, when test %i fails", async (failing) => {
    const bench = await openBench(failing);
    const { code, output } = await bench.bash(line);
    expect({ code, status: status(bench) }, output).toEqual({ code: 3, status: "rolledBack" });
  });
});

interface Workflow {
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly { readonly run?: string; readonly if?: string }[] }>
  >;
}

describe("examples/release/github-actions.yml", () => {
  const { jobs } = parse(read(`${FOLDER}/github-actions.yml`)) as Workflow;
  const steps = Object.values(jobs).flatMap((job) => job.steps.filter(({ run }) => run !== undefined));

  it.each([
    [0, "done"],
    [1, "rolledBack"],
    [2, "rolledBack"],
  ])("when test %i fails: %s", async (failing, end) => {
    const bench = await openBench(failing);
    let failed = false;
    for (const { run, if: condition } of steps) {
      if (failed !== (condition !== undefined)) continue;
      const { code, output } = await bench.bash(run!);
      if (condition !== undefined) expect(code, output).toBe(0);
      failed ||= code !== 0;
    }
    expect([failed, status(bench)]).toEqual([failing > 0, end]);
  });
});

describe("examples/release/gitlab-ci.yml", () => {
  const pipeline = parse(read(`${FOLDER}/gitlab-ci.yml`)) as Record<
    string,
    { script?: string[]; when?: string }
  >;
  const jobs = Object.values(pipeline).filter(({ script }) => script !== undefined);

  it.each([
    [0, "done"],
    [1, "rolledBack"],
  ])("when test %i fails: %s", async (failing, end) => {
    const bench = await openBench(failing);
    let failed = false;
    for (const { script = [], when } of jobs) {
      if (failed !== (when === "on_failure")) continue;
      const { code, output } = await bench.bash(script.join("\n"));
      if (when === "on_failure") expect(code, output).toBe(0);
      failed ||= code !== 0;
    }
    expect([failed, status(bench)]).toEqual([failing > 0, end]);
  });
});

describe("examples/release/ansible-playbook.yml", () => {
  it("has commands that lead to the end, one after the other", async () => {
    const bench = await openBench();
    const plays = parse(read(`${FOLDER}/ansible-playbook.yml`)) as { tasks: Record<string, unknown>[] }[];
    const commands = plays
      .flatMap(({ tasks }) => tasks.map((task) => task["ansible.builtin.command"]))
      .filter((command) => typeof command === "string");
    expect(commands).toHaveLength(5);
    for (const command of commands) {
      const text = command.replace("{{ version }}", "2.0").replace("plan.yaml", `${FOLDER}/plan.yaml`);
      const { code, output } = await bench.bash(text);
      expect(code, output).toBe(0);
    }
    expect(status(bench)).toBe("done");
  });
});
