import { describe, expect, it } from "vitest";
import { OutputTail } from "./output-tail.ts";

function printed(...chunks: readonly (string | Buffer)[]): { lines: string[]; tail: OutputTail } {
  const lines: string[] = [];
  const tail = new OutputTail((line) => lines.push(line));
  const stream = tail.stream();
  for (const chunk of chunks) stream.write(Buffer.from(chunk));
  stream.end();
  return { lines, tail };
}

describe("OutputTail", () => {
  it("puts lines together from chunks, characters too", () => {
    const [euro] = [Buffer.from("€")];
    expect(printed("a", "b\r", "\nc ", euro.subarray(0, 1), euro.subarray(1), "\n\nd").lines).toEqual([
      "ab",
      "c €",
      "d",
    ]);
    expect(printed("1 %\r2 %\r3 %\n").lines).toEqual(["1 %", "2 %", "3 %"]);
  });

  it("keeps the lines of streams apart", () => {
    const lines: string[] = [];
    const tail = new OutputTail((line) => lines.push(line));
    const [out, err] = [tail.stream(), tail.stream()];
    out.write(Buffer.from("out"));
    err.write(Buffer.from("err\n"));
    out.write(Buffer.from("put\n"));
    expect(lines).toEqual(["err", "output"]);
  });

  it("cuts long lines, without holding them", () => {
    const { lines } = printed(...Array.from({ length: 500 }, () => "x".repeat(1000)), "\nnext\n");
    expect(lines).toEqual([`${"x".repeat(1000)}…`, "next"]);
    expect(printed("x".repeat(1000)).lines).toEqual(["x".repeat(1000)]);
  });

  it("makes what would act on a terminal harmless", () => {
    const { lines } = printed(
      "\u001b[31mred\u001b[0m\tand\u001b]0;title\u0007\u001b[2J back\b\u202eltr\u009b1m\n",
    );
    expect(lines).toEqual(["red\tand back\ufffd\ufffdltr\ufffd1m"]);
  });

  it("keeps the last 64 KiB", () => {
    const { tail } = printed(...Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`));
    expect(tail.text.length).toBeGreaterThanOrEqual(64 * 1024 - 12);
    expect(tail.text.length).toBeLessThanOrEqual(80 * 1024);
    expect(tail.text.endsWith("line 99998\nline 99999")).toBe(true);
    expect(tail.lastLines(2, 1000)).toEqual(["line 99998", "line 99999"]);
    expect(tail.lastLines(20, 25)).toEqual(["line 99998", "line 99999"]);
    expect(tail.lastLines(20, 1)).toEqual(["line 99999"]);
  });
});
