import { createHmac } from "node:crypto";

/**
 * Field by which a receiver knows who posts: `t=UNIX,v1=HEX`, the HMAC-SHA256 of time and body, so that what was listened to
 * cannot be posted again later. Without a secret there is none. `now`: ms since the epoch.
 */
export function signatureField(
  secret: string | undefined,
  body: string,
  now: number,
): Readonly<Record<string, string>> {
  if (secret === undefined) return {};
  const seconds = Math.floor(now / 1000);
  const mac = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return { "x-halftone-signature": `t=${seconds},v1=${mac}` };
}
