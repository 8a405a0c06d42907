// A target for Jazzer.js (coverage-guided), which is no dependency: see docs/fuzzing.md. The first byte says what
// the rest is; a finding is thrown.
const compiled = new URL("../../node_modules/.cache/halftone-fuzz/test/fuzz/", import.meta.url);
const { INPUT_KINDS, oracleFor } = await import(new URL("batch.js", compiled).href);
const { Random } = await import(new URL("random.js", compiled).href);
const { HALFTONE } = await import(new URL("subject.js", compiled).href);
const { emptyTally } = await import(new URL("tally.js", compiled).href);

Error.stackTraceLimit = 0;
const oracles = INPUT_KINDS.map((kind) => oracleFor(kind, HALFTONE, emptyTally()));

export function fuzz(data) {
  if (data.length < 2 || data.length > 2048) return;
  const input = data.subarray(1);
  const found = oracles[data[0] % oracles.length].judge(
    input,
    input.length,
    new Random(data[0], input.length, 0),
  );
  if (found !== undefined) throw new Error(`${found.kind}: ${JSON.stringify(input.toString("latin1"))}`);
}
