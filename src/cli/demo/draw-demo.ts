import type { ReleaseJson } from "../../admin/release-schemas.ts";
import { drawRelease } from "../release/draw-release.ts";
import type { Surroundings } from "../release/release-surroundings.ts";
import { styledLine } from "../release/styled-line.ts";

const ROWS = 5;
const COLUMNS = 20;
/** Spreads dots evenly: 37 has no divisor in common with 100. */
const SPREAD = 37;

/** The clients as a halftone: a dot for each hundredth of them, dark for those on the new version. */
export function drawHalftone(view: ReleaseJson | undefined, colour: boolean): readonly string[] {
  const share = view === undefined ? 0 : onNew(view);
  return Array.from({ length: ROWS }, (_, row) => {
    const dots = Array.from({ length: COLUMNS }, (_, column) => {
      const place = ((row * COLUMNS + column) * SPREAD) % (ROWS * COLUMNS);
      return place < share ? { text: "● ", style: "good" as const } : { text: "○ ", style: "dim" as const };
    });
    return styledLine(["  ", ...dots], COLUMNS * 2 + 2, colour);
  });
}

function onNew({ groups, share, status }: ReleaseJson): number {
  const serving = groups.filter(({ serves }) => serves === "public");
  const updated = serving.filter(({ condition }) => condition === "new");
  if (status === "done") return 100;
  if (updated.length === 0 || status === "rolledBack") return 0;
  return updated.length === serving.length ? 100 : share;
}

/** The whole picture of the demo. */
export function drawDemo(
  view: ReleaseJson | undefined,
  around: Surroundings,
  texts: { readonly head: readonly string[]; readonly foot: readonly string[] },
  width: number,
  colour: boolean,
): readonly string[] {
  const release =
    view === undefined
      ? ["Nothing is being released: everybody is on v1."]
      : drawRelease(view, around.servers, around.groups, width, colour, around.verdict);
  return [...texts.head, "", ...drawHalftone(view, colour), "", ...release, "", ...texts.foot];
}
