import { expect, it } from "vitest";
import { TimedPart } from "./timed-part.ts";

/** Numbers from 0 to 1, the same ones each time (Numerical Recipes' linear congruential generator). */
function newDice(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Weights of the requests of so many seconds that come evenly, as a coarse clock would see them. */
function weights(part: TimedPart, perSecond: number, seconds: number): number[] {
  return Array.from({ length: perSecond * seconds }, (_, index) =>
    part.next(Math.floor(((index / perSecond) * 1000) / 50) * 50),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

it("times every request as long as there are few", () => {
  const all = weights(new TimedPart(newDice()), 500, 5);
  expect(all).toEqual(all.map(() => 1));
});

it("times about 500 a second of many, which stand for all", () => {
  const [perSecond, seconds] = [20_000, 10];
  const all = weights(new TimedPart(newDice()), perSecond, seconds).slice(perSecond);
  const timed = all.filter((weight) => weight > 0);
  expect(timed.length / (seconds - 1)).toBeGreaterThan(450);
  expect(timed.length / (seconds - 1)).toBeLessThan(550);
  expect(sum(timed) / all.length).toBeGreaterThan(0.95);
  expect(sum(timed) / all.length).toBeLessThan(1.05);
});

it("favours none of the servers that take turns", () => {
  const all = weights(new TimedPart(newDice()), 1000, 60);
  const [even, odd] = [0, 1].map((which) => sum(all.filter((_, index) => index % 2 === which)));
  expect(even! / odd!).toBeGreaterThan(0.95);
  expect(even! / odd!).toBeLessThan(1.05);
});

it("times every request again when there are few", () => {
  const part = new TimedPart(newDice());
  weights(part, 20_000, 3);
  const later = Array.from({ length: 10 }, (_, second) => part.next(60_000 + second * 1000));
  expect(later).toEqual(later.map(() => 1));
});
