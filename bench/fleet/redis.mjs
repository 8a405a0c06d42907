// @ts-check
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "@redis/client";
import { freePort } from "../free-port.mjs";
import { built } from "./documents.mjs";
import { HOST } from "../proxies/proxy.mjs";

const START_MS = 10_000;

/** @typedef {ReturnType<typeof newClient>} Client */
/** @typedef {{ child: import("../children.mjs").Child, port: number, url: string, client: Client }} Redis */

/**
 * A real redis-server of its own that keeps nothing on the disk, and a plain client of it.
 * @param {import("../children.mjs").Children} children
 * @param {string} folder
 * @param {readonly number[]} cores
 * @returns {Promise<Redis>}
 */
export async function startRedis(children, folder, cores) {
  const port = await freePort(HOST);
  const dir = join(folder, "redis");
  mkdirSync(dir, { recursive: true });
  const args = ["--bind", HOST, "--port", String(port), "--dir", dir, "--save", "", "--daemonize", "no"];
  const child = children.start({ name: "redis-server", cores, command: "redis-server", args });
  const deadline = Date.now() + START_MS;
  while (!child.output().includes("Ready to accept connections")) {
    if (!child.running() || Date.now() > deadline)
      throw new Error(`redis-server did not start:\n${child.output()}`);
    await pause(10);
  }
  const client = newClient(port);
  // It is told by whoever waits for an answer.
  client.on("error", () => undefined);
  await client.connect();
  return { child, port, url: `redis://${HOST}:${port}/0`, client };
}

/** @param {number} port */
function newClient(port) {
  return createClient({ socket: { host: HOST, port, reconnectStrategy: false } });
}

/**
 * One figure of INFO.
 * @param {Client} client
 * @param {string} field
 */
export async function infoOf(client, field) {
  const text = await client.info("everything");
  return Number(new RegExp(`^${field}:([\\d.]+)`, "m").exec(text)?.[1] ?? Number.NaN);
}

/**
 * Of how many apps the only gateway has told that they are in force.
 * @param {Client} client
 */
export async function appsTold(client) {
  const { IN_FORCE } = await built("directory/redis/redis-keys.js");
  const { keys } = await client.scan("0", {
    MATCH: `${IN_FORCE.replaceAll(/[{}]/g, "\\$&")}*`,
    COUNT: 1_000_000,
  });
  const lengths = await Promise.all(keys.map((key) => client.hLen(key)));
  return Math.max(0, ...lengths);
}
