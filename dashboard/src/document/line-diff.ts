/** One line of a comparison. */
export interface DiffLine {
  readonly kind: "same" | "gone" | "new";
  readonly text: string;
}

/** Lines of two texts beside each other, by their longest common sequence. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [one, other] = [before.split("\n"), after.split("\n")];
  const width = other.length + 1;
  // Length of the longest common sequence of what is left from (i, j) on.
  const longest = new Uint32Array((one.length + 1) * width);
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        one[i] === other[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < one.length || j < other.length) {
    if (i < one.length && j < other.length && one[i] === other[j]) {
      lines.push({ kind: "same", text: one[i]! });
      i += 1;
      j += 1;
    } else if (
      j >= other.length ||
      (i < one.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)
    ) {
      lines.push({ kind: "gone", text: one[i]! });
      i += 1;
    } else {
      lines.push({ kind: "new", text: other[j]! });
      j += 1;
    }
  }
  return lines;
}

/** The changes with so many lines around them; undefined stands for what was left out. */
export function contextOf(lines: readonly DiffLine[], around: number): readonly (DiffLine | undefined)[] {
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some(({ kind }) => kind !== "same"),
  );
  const shown: (DiffLine | undefined)[] = [];
  for (const [index, line] of lines.entries()) {
    if (isNear[index] === true) shown.push(line);
    else if (shown.length === 0 || shown.at(-1) !== undefined) shown.push(undefined);
  }
  return shown;
}
