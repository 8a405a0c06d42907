import type { AppDocument } from "./app-document.ts";
import type { GatewaySettings } from "./gateway-settings.ts";
import type { Problem } from "./problem.ts";

/**
 * Documents whose `tls` names nothing in `serverTls`. They are no wrong documents: the directory holds them for gateways
 * that may each have other settings.
 */
export function unknownTlsOf(
  documents: readonly AppDocument[],
  { serverTls = {} }: Pick<GatewaySettings, "serverTls">,
): readonly { readonly name: string; readonly problem: Problem }[] {
  const known = Object.keys(serverTls);
  return documents.flatMap(({ name, tls }) => {
    if (typeof tls !== "string" || known.includes(tls)) return [];
    const expected =
      known.length === 0
        ? "true or false, as halftone.yaml has no serverTls"
        : `a name of serverTls in halftone.yaml: ${known.join(", ")}`;
    return [{ name, problem: { path: "tls", found: JSON.stringify(tls), expected } }];
  });
}
