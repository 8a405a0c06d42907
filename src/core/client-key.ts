import type { App, ClientKeySource } from "./app.ts";
import type { Client } from "./client.ts";
import { textHash } from "./text-hash.ts";

/** What a client is told apart by from request to request. */
export interface ClientKey {
  readonly value: string;
  /** Where it was found, for people: "cookie uid", "header x-user-id", "address". */
  readonly from: string;
}

/**
 * The first of the sources the request carries, else the client's address. An empty value counts as absent: it would
 * make one client of everybody who sends it.
 */
export function findClientKey(sources: readonly ClientKeySource[], client: Client): ClientKey {
  for (const source of sources) {
    if (source.kind === "address") break;
    const value = source.kind === "cookie" ? client.cookie(source.name) : client.header(source.name);
    if (value !== undefined && value !== "") return { value, from: `${source.kind} ${source.name}` };
  }
  return { value: client.address, from: "address" };
}

/** Keeps the hash of those who are counted from having anything to do with the draw. */
const COUNTED = "counted";

/** What a client is counted by: a hash of its key, the same at every gateway, 1 to 2^32 - 1. */
export function clientHash(app: App, client: Client): number {
  return textHash(app.name, COUNTED, clientKeyOf(app, client)) || 1;
}

/** The same for whoever needs the text alone. */
export function clientKeyOf(app: App, client: Client): string {
  return findClientKey(app.stickiness, client).value;
}
