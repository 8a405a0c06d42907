/** Columns as wide as their widest cell, two spaces apart; numbers stand right. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  const isRight = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"),
  );
  return all.map((row) =>
    row
      .map((cell, column) => {
        const padding = " ".repeat((widths[column] ?? 0) - width(cell));
        return isRight[column] === true ? padding + String(cell) : String(cell) + padding;
      })
      .join("  ")
      .trimEnd(),
  );
}

function width(cell: string | number): number {
  return String(cell).length;
}
