import { expect, it } from "vitest";
import { darkness, DOTS, dotOrder } from "./dot-order.ts";

it("every dot stands for one hundredth of the draw", () => {
  expect([...dotOrder("shop", "r1")].sort((one, other) => one - other)).toEqual(
    Array.from({ length: DOTS }, (_, rank) => rank),
  );
});

it("another release shades its field in another order, the same one each time", () => {
  expect(dotOrder("shop", "r1")).toEqual(dotOrder("shop", "r1"));
  expect(dotOrder("shop", "r2")).not.toEqual(dotOrder("shop", "r1"));
});

it("as many dots are dark as hundredths of the clients are on the new version, none ever turns back", () => {
  const order = dotOrder("shop", "r1");
  let before = 0;
  for (const share of [0, 1, 12.5, 50, 99.99, 100]) {
    const levels = Array.from(order, (rank) => darkness(rank, share));
    const sum = levels.reduce((total, level) => total + level, 0);
    expect(sum).toBeCloseTo(share, 6);
    expect(levels.filter((level) => level === 1).length).toBeGreaterThanOrEqual(before);
    before = levels.filter((level) => level === 1).length;
  }
});
