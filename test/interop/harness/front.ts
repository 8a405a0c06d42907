import { type HalftoneProcess, type SiteConfig, startHalftone } from "../../e2e/harness/halftone-process.ts";
import type { Scene } from "../../e2e/harness/scene.ts";
import { until } from "../../e2e/harness/until.ts";
import { Authority } from "../../tls/certificates.ts";

/** How a client speaks to the gateway: HTTP/1.1 in the clear, and over TLS. */
export type Protocol = "http" | "https";
export const PROTOCOLS: readonly Protocol[] = ["http", "https"];

/** Where: "https" agrees on HTTP/2 with clients that offer it, "h2c" takes HTTP/2 in the clear, "http" does not. */
export type Place = Protocol | "h2c";

/** The built program as clients meet it. */
export interface Front {
  readonly halftone: HalftoneProcess;
  /** "http://127.0.0.1:12345" */
  readonly origin: (place: Place) => string;
  /** PEM file of the authority that signed its certificate. */
  readonly ca: string;
}

/** Starts the program in front of these servers, with two listeners in the clear and one with TLS. */
export async function startFront(
  scene: Scene,
  servers: readonly string[],
  gateway: SiteConfig["gateway"] = {},
): Promise<Front> {
  const authority = new Authority(await scene.folder());
  const { cert, key } = authority.issue("gateway", { names: "IP:127.0.0.1" });
  const tls = { certificates: [{ cert, key }] };
  const address = "127.0.0.1:0";
  const halftone = await startHalftone(scene, {
    gateway: { listen: [address, { address, tls }, { address, http2: true }], ...gateway },
  });
  await halftone.put("site", { name: "site", groups: { only: { servers } } });
  const [http, https, h2c] = await until("the addresses", () => {
    const line = halftone.log.find(({ msg }) => msg === "listening");
    return line?.["gateway"] as readonly string[] | undefined;
  });
  const origins = { http: `http://${http}`, https: `https://${https}`, h2c: `http://${h2c}` };
  return {
    halftone,
    origin: (place) => origins[place],
    ca: authority.ca,
  };
}
