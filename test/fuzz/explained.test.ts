import { expect, it } from "vitest";

import { read, sectionOf } from "../markdown.ts";
import { EXPLAINED_HEADS, EXPLAINED_TRAILERS } from "./explained.ts";

it("docs/fuzzing.md names every explained difference, and no other", () => {
  const rows = sectionOf(read("docs/fuzzing.md"), "Explained differences").matchAll(/^\| `([\w-]+)` \|/gm);
  const names = [...EXPLAINED_HEADS, ...EXPLAINED_TRAILERS].map(({ name }) => name);
  expect(Array.from(rows, ([, name]) => name)).toEqual(names);
});
