import { writeBody } from "./body-grammar.ts";
import { BodyOracle } from "./body-oracle.ts";
import { Draft } from "./draft.ts";
import { finding, type Finding } from "./finding.ts";
import { Mutator } from "./mutator.ts";
import { Random } from "./random.ts";
import { writeRequest } from "./request-grammar.ts";
import { RequestOracle } from "./request-oracle.ts";
import { ResponseOracle } from "./response-oracle.ts";
import { writeResponse } from "./response-grammar.ts";
import { shrink } from "./shrink.ts";
import type { Subject } from "./subject.ts";
import { emptyTally, type Tally } from "./tally.ts";

/** Inputs of a batch. */
export const BATCH_SIZE = 1000;

/** Making inputs small takes time; after so many kinds of findings they are only counted. */
const MOST_REPORTS = 8;

export const INPUT_KINDS = ["request", "response", "body"] as const;
export type InputKind = (typeof INPUT_KINDS)[number];

interface Oracle {
  judge(input: Buffer, length: number, random: Random): Finding | undefined;
}

/** A finding with the smallest input that was found for it, and how to meet it again. */
export interface Report extends Finding {
  readonly input: InputKind;
  readonly batch: number;
  readonly minimal: string;
}

/** Makes and judges inputs of one kind, batch by batch; a batch depends on nothing but the seed and its number. */
export class Batches {
  readonly tally: Tally = emptyTally();
  private readonly kind: InputKind;
  private readonly seed: number;
  private readonly subject: Subject;
  private readonly oracle: Oracle;
  private readonly write: (draft: Draft, random: Random) => void;
  private readonly draft = new Draft();
  private readonly mutator = new Mutator();
  private readonly met = new Set<string>();

  constructor(kind: InputKind, seed: number, subject: Subject) {
    this.kind = kind;
    this.seed = seed;
    this.subject = subject;
    this.oracle = oracleFor(kind, subject, this.tally);
    this.write = { request: writeRequest, response: writeResponse, body: writeBody }[kind];
  }

  /** Judges one batch of `size` inputs. Goes on after a finding, and answers those of a kind not met before. */
  run(batch: number, size: number): readonly Report[] {
    const { draft, met, mutator, tally } = this;
    const random = new Random(this.seed, INPUT_KINDS.indexOf(this.kind), batch);
    const reports: Report[] = [];
    mutator.reset();
    for (let i = 0; i < size; i++) {
      this.write(draft, random);
      mutator.mutate(draft, random);
      tally.inputs++;
      const found = judge(this.oracle, draft.bytes, draft.length, random);
      if (found === undefined) continue;
      if (found.kind.startsWith(THREW)) tally.exceptions++;
      else tally.unsafe++;
      if (met.has(found.kind) || met.size === MOST_REPORTS) continue;
      met.add(found.kind);
      reports.push(this.report(found, batch, Buffer.from(draft.bytes.subarray(0, draft.length))));
    }
    return reports;
  }

  private report(found: Finding, batch: number, input: Buffer): Report {
    const oracle = oracleFor(this.kind, this.subject, emptyTally());
    let { detail } = found;
    const minimal = shrink(input, (smaller) => {
      // The dice of the oracle (where to split, what stands around the input) are thrown a few times.
      for (let i = 0; i < 4; i++) {
        const again = judge(oracle, smaller, smaller.length, new Random(i, 0, 0));
        if (again?.kind !== found.kind) continue;
        ({ detail } = again);
        return true;
      }
      return false;
    });
    return { kind: found.kind, detail, input: this.kind, batch, minimal: minimal.toString("latin1") };
  }
}

const THREW = "an exception: ";

function judge(oracle: Oracle, input: Buffer, length: number, random: Random): Finding | undefined {
  try {
    return oracle.judge(input, length, random);
  } catch (error) {
    return finding(`${THREW}${String(error)}`, error instanceof Error ? (error.stack ?? "") : "");
  }
}

/** @public jazzer-oracles.mjs takes it from what was compiled. */
export function oracleFor(kind: InputKind, subject: Subject, tally: Tally): Oracle {
  switch (kind) {
    case "request":
      return new RequestOracle(subject, tally);
    case "response":
      return new ResponseOracle(subject, tally);
    case "body":
      return new BodyOracle(subject, tally);
  }
}
