import { type HalftoneProcess, type SiteConfig, startHalftone } from "../../e2e/harness/halftone-process.ts";
import type { Scene } from "../../e2e/harness/scene.ts";
import { until } from "../../e2e/harness/until.ts";
import { Authority } from "../../tls/certificates.ts";

/** How a client speaks to the gateway: HTTP/1.1 in the clear, and over TLS. */
export type Protocol = "http" | "https";
export const PROTOCOLS: readonly Protocol[] = ["http", "https"];

/** The built program as clients meet it. */
export interface Front {
  readonly halftone: HalftoneProcess;
  /** "http://127.0.0.1:12345" */
  readonly origin: (protocol: Protocol) => string;
  /** PEM file of the authority that signed its certificate. */
  readonly ca: string;
}

/** Starts the program in front of these servers, with a listener in the clear and one with TLS. */
export async function startFront(
  scene: Scene,
  servers: readonly string[],
  gateway: SiteConfig["gateway"] = {},
): Promise<Front> {
  const authority = new Authority(await scene.folder());
  const { cert, key } = authority.issue("gateway", { names: "IP:127.0.0.1" });
  const tls = { certificates: [{ cert, key }] };
  const halftone = await startHalftone(scene, {
    gateway: { listen: ["127.0.0.1:0", { address: "127.0.0.1:0", tls }], ...gateway },
  });
  await halftone.put("site", { name: "site", groups: { only: { servers } } });
  const [clear, secure] = await until("the addresses", () => {
    const line = halftone.log.find(({ msg }) => msg === "listening");
    return line?.["gateway"] as readonly string[] | undefined;
  });
  return {
    halftone,
    origin: (protocol) => `${protocol}://${protocol === "http" ? clear! : secure!}`,
    ca: authority.ca,
  };
}
