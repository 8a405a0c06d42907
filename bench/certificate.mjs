// @ts-check
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/**
 * A self-signed certificate of this run.
 * @param {string} folder
 * @returns {{ cert: string, key: string }} files
 */
export function makeCertificate(folder) {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const names = ["-subj", "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test,IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", cert];
  const made = spawnSync("openssl", ["req", "-x509", "-nodes", "-days", "2", ...curve, ...names, ...files]);
  if (made.status !== 0) throw new Error(`openssl made no certificate:\n${String(made.stderr)}`);
  return { cert, key };
}
