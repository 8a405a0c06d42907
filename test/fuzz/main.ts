import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setImmediate as breathe } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { BATCH_SIZE, Batches, INPUT_KINDS, type InputKind, type Report } from "./batch.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import { HALFTONE } from "./subject.ts";
import { resultTable } from "./result-table.ts";
import { addTally, emptyTally, type Tally } from "./tally.ts";

type Tallies = Record<InputKind, Tally>;

/** What a job tells the run: how far it is, and at the end what it counted. */
interface News {
  readonly batches: number;
  readonly tallies?: Tallies;
  readonly reports: readonly Report[];
}

const PROGRESS_EVERY_MS = 10_000;

// Refusals of llhttp are errors; their stacks are nobody's concern, and cost more than the parsing.
Error.stackTraceLimit = 0;

const options = readOptions(process.argv.slice(2), Date.now());
if (typeof options === "string") {
  console.error(`${options}\n${USAGE}`);
  process.exitCode = 2;
} else if (options.time) await import("./time-by-hand.ts");
else if (options.job === undefined) await runAll(options);
else await runJob(options, options.job);

async function runJob(options: Options, job: number): Promise<void> {
  const tallies = emptyTallies();
  let batches = 0;
  for (const kind of INPUT_KINDS) {
    const made = new Batches(kind, options.seed, HALFTONE);
    tallies[kind] = made.tally;
    for (let batch = job; batch < options.batches[kind]; batch += options.jobs) {
      const reports = made.run(batch, BATCH_SIZE);
      batches++;
      if (reports.length === 0 && batches % 50 !== 0) continue;
      tell({ batches, reports });
      await breathe();
    }
  }
  tell({ batches, tallies, reports: [] });
}

function tell(news: News): void {
  process.send!(news);
}

async function runAll(options: Options): Promise<void> {
  const { batches, jobs, seed } = options;
  console.log(
    `seed ${seed}, ${jobs} ${jobs === 1 ? "process" : "processes"}, Node ${process.version}, llhttp ${process.versions["llhttp"]}`,
  );
  const began = performance.now();
  const tallies = emptyTallies();
  const reports: Report[] = [];
  if (options.only !== undefined) {
    const { kind, batch } = options.only;
    const made = new Batches(kind, seed, HALFTONE);
    reports.push(...made.run(batch, BATCH_SIZE));
    tallies[kind] = made.tally;
  } else {
    const whole = batches.request + batches.response + batches.body;
    const done = Array.from({ length: jobs }, () => 0);
    let saidAt = began;
    const running = Array.from({ length: jobs }, (_, job) =>
      startJob(job, (news) => {
        done[job] = news.batches;
        for (const kind of INPUT_KINDS)
          if (news.tallies !== undefined) addTally(tallies[kind], news.tallies[kind]);
        reports.push(...news.reports);
        if (performance.now() - saidAt < PROGRESS_EVERY_MS) return;
        saidAt = performance.now();
        const sum = done.reduce((total, batches) => total + batches, 0);
        console.error(`${((sum / whole) * 100).toFixed(1)} %, ${((saidAt - began) / 1000).toFixed(0)} s`);
      }),
    );
    await Promise.all(running);
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(`${resultTable(tallies)}\n\n${seconds.toFixed(0)} s`);
  for (const { kind, detail, input, batch, minimal } of reports) {
    console.log(
      `\nFOUND in a ${input}: ${kind}\nminimal input: ${JSON.stringify(minimal)}\n${detail}\n` +
        `again: npm run fuzz -- --seed ${seed} --only ${input}:${batch}`,
    );
    process.exitCode = 1;
  }
  if (options.json === undefined) return;
  const result = {
    seed,
    seconds,
    node: process.version,
    llhttp: process.versions["llhttp"],
    tallies,
    reports,
  };
  writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
}

function startJob(job: number, onNews: (news: News) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [
      ...process.argv.slice(2),
      "--seed",
      seedText(),
      "--job",
      String(job),
    ]);
    child.on("message", (news: News) => onNews(news));
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`job ${job} ended with ${signal ?? code}`));
    });
  });
}

/** The seed in force, which may come from the clock. */
function seedText(): string {
  return typeof options === "string" ? "" : String(options.seed);
}

function emptyTallies(): Tallies {
  return { request: emptyTally(), response: emptyTally(), body: emptyTally() };
}
