import { nodeText, type RedisNode, type RedisTarget } from "../../config/redis-target.ts";
import { DirectoryUnavailable } from "../directory.ts";
import { within } from "../within.ts";
import { ANSWER_TIME, connect, reasonOf, type RedisClient } from "./redis-client.ts";
import type { RedisLogin } from "./redis-login.ts";

/**
 * Which server takes the writes now: the one named, the one that sentinels name, or the node of a cluster that serves
 * this key's slot. Everything of Halftone lies in one slot, so that one connection reads, writes and is told of
 * changes; therefore the topology clients of the library are not used. Throws `DirectoryUnavailable`.
 */
export async function findPrimary(target: RedisTarget, login: RedisLogin, key: string): Promise<RedisNode> {
  switch (target.kind) {
    case "server":
      return target.nodes[0]!;
    case "sentinel":
      // Sentinels have no databases, and by default no users.
      return await askFirst(target, { ...(login.tls && { tls: login.tls }) }, async (client) => {
        const answer: unknown = await client.sendCommand([
          "SENTINEL",
          "GET-MASTER-ADDR-BY-NAME",
          target.primary ?? "",
        ]);
        if (!Array.isArray(answer)) throw new Error(`it knows no primary named ${target.primary}`);
        return { host: String(answer[0]), port: Number(answer[1]) };
      });
    case "cluster":
      return await askFirst(target, login, (client, node) => primaryOfSlot(client, node, key));
  }
}

/** Asks one node after another until one knows. */
async function askFirst(
  target: RedisTarget,
  login: RedisLogin,
  question: (client: RedisClient, node: RedisNode) => Promise<RedisNode>,
): Promise<RedisNode> {
  const failures: string[] = [];
  for (const node of target.nodes) {
    try {
      const client = await connect(node, login, 0, () => undefined);
      try {
        return await within(ANSWER_TIME, question(client, node));
      } finally {
        client.destroy();
      }
    } catch (error) {
      const reason = reasonOf(error);
      failures.push(reason.startsWith(nodeText(node)) ? reason : `${nodeText(node)}: ${reason}`);
    }
  }
  throw new DirectoryUnavailable(`no ${target.kind} node names the primary: ${failures.join("; ")}`);
}

async function primaryOfSlot(client: RedisClient, asked: RedisNode, key: string): Promise<RedisNode> {
  const slot = Number(await client.sendCommand(["CLUSTER", "KEYSLOT", key]));
  const ranges: unknown = await client.sendCommand(["CLUSTER", "SLOTS"]);
  for (const range of Array.isArray(ranges) ? ranges : []) {
    const [first, last, primary] = range as [number, number, [string | null, number]];
    if (slot < first || slot > last) continue;
    const [host, port] = primary;
    // Empty, null or "?": it does not know, or does not tell, and is where it was asked.
    return { host: host === null || host === "" || host === "?" ? asked.host : host, port };
  }
  throw new Error(`its cluster serves no slot ${slot}`);
}
