import { expect, it } from "vitest";
import { en } from "./en.ts";
import { zh } from "./zh.ts";

const holes = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

it.each(Object.keys(en) as (keyof typeof en)[])("%s says the same in both languages", (key) => {
  expect(holes(zh[key])).toEqual(holes(en[key]));
  expect(zh[key]).not.toBe("");
});
