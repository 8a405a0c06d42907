import { expect, it } from "vitest";

import { read, sectionOf } from "../markdown.ts";
import { EXPLAINED_RESPONSE_HEADS, EXPLAINED_RESPONSE_TRAILERS } from "./explained.ts";

it("docs/fuzzing.md names every explained difference, and no other", () => {
  const rows = sectionOf(read("docs/fuzzing.md"), "Explained differences").matchAll(/^\| `([\w-]+)` \|/gm);
  const names = [...EXPLAINED_RESPONSE_HEADS, ...EXPLAINED_RESPONSE_TRAILERS].map(({ name }) => name);
  expect(new Set(Array.from(rows, ([, name]) => name))).toEqual(new Set(names));
});
