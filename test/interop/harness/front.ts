import { type HalftoneProcess, type SiteConfig, startHalftone } from "../../e2e/harness/halftone-process.ts";
import type { Scene } from "../../e2e/harness/scene.ts";

/** How a client speaks to the gateway. */
export type Protocol = "http";
export const PROTOCOLS: readonly Protocol[] = ["http"];

/** The built program as clients meet it. */
export interface Front {
  readonly halftone: HalftoneProcess;
  /** "http://127.0.0.1:12345" */
  readonly origin: (protocol: Protocol) => string;
}

/** Starts the program in front of these servers. */
export async function startFront(
  scene: Scene,
  servers: readonly string[],
  config: SiteConfig = {},
): Promise<Front> {
  const halftone = await startHalftone(scene, config);
  await halftone.put("site", { name: "site", groups: { only: { servers } } });
  return { halftone, origin: (protocol) => `${protocol}://127.0.0.1:${halftone.gatewayPort}` };
}

/** The authority to be trusted, as the last argument of a program; nothing where there is no TLS. */
export function caFile(_front: Front, protocol: Protocol): readonly string[] {
  switch (protocol) {
    case "http":
      return [];
  }
}

/** The same as options of a client made in Node. */
export function trust(_front: Front, protocol: Protocol): { readonly ca?: string } {
  switch (protocol) {
    case "http":
      return {};
  }
}
