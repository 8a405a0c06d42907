import { createClient, type RedisClientType } from "@redis/client";
import { nodeText, type RedisNode } from "../../config/redis-target.ts";
import { DirectoryUnavailable } from "../directory.ts";
import { within } from "../within.ts";
import type { RedisLogin } from "./redis-login.ts";

/** How long anything asked of a Redis may take, in ms; a connection that is slower is given up. */
export const ANSWER_TIME = 2000;

export type RedisClient = RedisClientType;

/** One connection, which never connects again by itself: who lost it decides where to go next. */
function newClient(node: RedisNode, login: RedisLogin, database: number): RedisClient {
  const { tls, username, password } = login;
  return createClient({
    RESP: 3,
    socket: {
      host: node.host,
      port: node.port,
      connectTimeout: ANSWER_TIME,
      reconnectStrategy: false,
      ...(tls !== undefined && { tls: true as const, ...tls }),
    },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    database,
    name: "halftone",
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    emitInvalidate: true,
  });
}

/** Throws `DirectoryUnavailable` saying why it did not work. */
export async function connect(
  node: RedisNode,
  login: RedisLogin,
  database: number,
  onLost: (reason: string) => void,
): Promise<RedisClient> {
  const client = newClient(node, login, database);
  client.on("error", (error: Error) => onLost(reasonOf(error)));
  try {
    await within(ANSWER_TIME, client.connect());
    return client;
  } catch (error) {
    client.destroy();
    throw new DirectoryUnavailable(`${nodeText(node)}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The error in words that help: Redis's own where it answered, the system's where it did not. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const { message, code } = error as { message?: string; code?: string };
  if (message !== undefined && message !== "") return message;
  return code ?? String(error);
}
