import { parseArgs } from "node:util";

import { BATCH_SIZE, INPUT_KINDS, type InputKind } from "./batch.ts";

export interface Options {
  readonly seed: number;
  readonly jobs: number;
  /** Batches of each kind. */
  readonly batches: Readonly<Record<InputKind, number>>;
  /** One batch alone, to see a finding again. */
  readonly only: { readonly kind: InputKind; readonly batch: number } | undefined;
  /** A file for the result. */
  readonly json: string | undefined;
  /** Only how time grows with the size of the input. */
  readonly time: boolean;
  /** Set in the processes of a run: which of the jobs this one is. */
  readonly job: number | undefined;
}

export const USAGE = `npm run fuzz -- [options]
  --heads N         request heads (two thirds) and response heads (300000)
  --bodies N        chunked bodies (50000)
  --seed N          the same seed gives the same inputs (taken from the clock)
  --jobs N          processes (1)
  --only KIND:N     one batch alone: request, response or body, and its number
  --time            instead: how time grows with the size of an input
  --json FILE       writes the result there too`;

/** The options, or what is wrong with them. */
export function readOptions(args: readonly string[], clock: number): Options | string {
  let values;
  try {
    const string = { type: "string" } as const;
    const options = {
      heads: string,
      bodies: string,
      seed: string,
      jobs: string,
      only: string,
      json: string,
      job: string,
      time: { type: "boolean" } as const,
    };
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const heads = Number(values.heads ?? 300_000);
  const bodies = Number(values.bodies ?? 50_000);
  const seed = Number(values.seed ?? clock % 2 ** 31);
  const jobs = Number(values.jobs ?? 1);
  for (const [name, value] of Object.entries({ heads, bodies, seed, jobs })) {
    if (!Number.isSafeInteger(value) || value < 0) return `--${name} must be a whole number`;
  }
  if (jobs === 0) return "--jobs must be 1 or more";
  const request = Math.ceil((heads * 2) / 3 / BATCH_SIZE);
  const response = Math.ceil(heads / BATCH_SIZE) - request;
  const only = /^(\w+):(\d+)$/.exec(values.only ?? "");
  const kind = INPUT_KINDS.find((known) => known === only?.[1]);
  if (values.only !== undefined && kind === undefined)
    return "--only must be request:N, response:N or body:N";
  return {
    seed,
    jobs,
    batches: { request, response, body: Math.ceil(bodies / BATCH_SIZE) },
    only: kind === undefined ? undefined : { kind, batch: Number(only?.[2]) },
    time: values.time === true,
    json: values.json,
    job: values.job === undefined ? undefined : Number(values.job),
  };
}
