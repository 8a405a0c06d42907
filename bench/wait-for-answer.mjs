// @ts-check
import { get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const START_MS = 20_000;

/**
 * Waits until the gateway answers 200 there.
 * @param {import("./children.mjs").Child} child
 * @param {number} port
 * @param {string} path
 */
export async function waitForAnswer(child, port, path) {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    if (!child.running()) throw new Error(`${child.name} ended:\n${child.output()}`);
    if ((await statusOf(port, path)) === 200) return;
    await pause(50);
  }
  throw new Error(
    `${child.name} does not answer 200 to ${path} within ${START_MS / 1000} s:\n${child.output()}`,
  );
}

/**
 * @param {number} port
 * @param {string} path
 * @returns {Promise<number | undefined>} undefined: no answer within 2 s
 */
export function statusOf(port, path) {
  return new Promise((resolve) => {
    const asked = get({ host: "127.0.0.1", port, path, agent: false, timeout: 2000 }, (response) => {
      response.resume();
      response.on("close", () => resolve(response.statusCode));
      response.on("error", () => resolve(undefined));
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(undefined));
  });
}
