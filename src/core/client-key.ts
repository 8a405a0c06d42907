import type { App, ClientKeySource } from "./app.ts";
import type { Client } from "./client.ts";

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

/** The same for whoever needs the text alone. */
export function clientKeyOf(app: App, client: Client): string {
  return findClientKey(app.stickiness, client).value;
}
