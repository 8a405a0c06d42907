// @ts-check
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port of this address that nobody listens on now.
 * @param {string} address
 * @returns {Promise<number>}
 */
export async function freePort(address) {
  const server = createServer().listen(0, address);
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}
