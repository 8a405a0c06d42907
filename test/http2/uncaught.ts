import { afterAll, afterEach, expect } from "vitest";

/** Half of the faults found in proxies on Node.js are exceptions that end the process: there must be none, ever. */
export function expectNothingUncaught(): void {
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => {
    uncaught.push(error);
  };
  process.on("uncaughtException", note);
  process.on("unhandledRejection", note);
  afterEach(() => expect(uncaught).toEqual([]));
  afterAll(() => {
    process.off("uncaughtException", note);
    process.off("unhandledRejection", note);
  });
}
