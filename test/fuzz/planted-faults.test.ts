import { describe, expect, it } from "vitest";

import { BATCH_SIZE, Batches } from "./batch.ts";
import { PLANTED_FAULTS } from "./planted-fault.ts";

const MOST_BATCHES = 40;

describe("the fuzzer finds", () => {
  it.each(PLANTED_FAULTS)("$name in a $input", ({ input, subject }) => {
    const batches = new Batches(input, 1, subject);
    for (let batch = 0; batch < MOST_BATCHES; batch++) {
      const [report] = batches.run(batch, BATCH_SIZE);
      if (report === undefined) continue;
      console.log(`${batches.tally.inputs} inputs: ${report.kind}: ${JSON.stringify(report.minimal)}`);
      expect(report.minimal.length).toBeLessThan(150);
      return;
    }
    expect.unreachable("not found");
  });
});
