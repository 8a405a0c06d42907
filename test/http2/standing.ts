import {
  app,
  ok,
  serve,
  startGateway,
  upstream,
  type GatewayUnderTest,
  type GatewayWish,
  type Script,
  type Upstream,
} from "../gateway/harness.ts";

/** A gateway that takes HTTP/2, before one server. */
export async function standing(
  wish: GatewayWish = {},
  script: Script = serve(ok("fine")),
): Promise<{ gateway: GatewayUnderTest; server: Upstream }> {
  const server = await upstream(script);
  const gateway = await startGateway({ http2: true, apps: [app([server.address])], ...wish });
  return { gateway, server };
}

/** Every byte that any server got, as one text. */
export function wire(server: Upstream): string {
  return server.peers.map((peer) => peer.received).join("");
}
