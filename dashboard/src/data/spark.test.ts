import { expect, it } from "vitest";
import { Spark, SPARK_SECONDS } from "./spark.ts";

it("has a number for each second of the last minute", () => {
  const spark = new Spark();
  spark.add(100_000, 5);
  spark.add(101_999, 7);
  const values = spark.values(103_000);
  expect(values).toHaveLength(SPARK_SECONDS);
  expect(values.slice(-5)).toEqual([undefined, 5, 7, 7, 7]);
});

it("forgets what is older, and what comes too late", () => {
  const spark = new Spark();
  spark.add(100_000, 5);
  spark.add(200_000, 6);
  spark.add(100_500, 9);
  expect(spark.values(200_000).at(-1)).toBe(6);
  expect(spark.values(200_000).includes(9)).toBe(false);
});
