// @ts-check
// What is simulated is what is shipped: the built core.
import { existsSync } from "node:fs";

const folder = new URL("../../dist/core/verdict/", import.meta.url);
if (!existsSync(folder)) throw new Error("dist/core/verdict is not there: npm run build");

/** @param {string} file */
const load = (file) => import(new URL(file, folder).href);

/** @type {typeof import("../../src/core/verdict/risk-test.ts")} */
export const { UNEQUAL, worseTest, notWorseTest, newRiskEvidence, addToRiskEvidence, lnEvidence } =
  await load("risk-test.js");
/** @type {typeof import("../../src/core/verdict/log-space.ts")} */
export const { lnMean } = await load("log-space.js");
/** @type {typeof import("../../src/core/verdict/verdict-settings.ts")} */
export const { errorSignal, slowSignals } = await load("verdict-settings.js");
/** @type {typeof import("../../src/core/verdict/evidence.ts")} */
export const { newEvidence, addWindow } = await load("evidence.js");
/** @type {typeof import("../../src/core/verdict/judge.ts")} */
export const { judge } = await load("judge.js");
/** @type {typeof import("../../src/core/verdict/power.ts")} */
export const { chanceToFind } = await load("power.js");
/** @type {typeof import("../../src/core/verdict/tally.ts")} */
export const { Tally } = await load("tally.js");
/** @type {typeof import("../../src/core/verdict/compare-window.ts")} */
export const { compareWindow } = await load("compare-window.js");
