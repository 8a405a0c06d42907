import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { CertificateFiles } from "../../src/config/tls-settings.ts";
import { checkTls } from "../../src/gateway/tls-check.ts";
import { readTlsFiles, tlsProblemText } from "../../src/gateway/tls-material.ts";
import { Authority, temporaryFolder } from "./certificates.ts";

const folder = temporaryFolder(afterAll);
const authority = new Authority(folder);
const shop = authority.issue("shop", { names: "DNS:shop.test" });
const other = authority.issue("other", { names: "DNS:other.test" });
const nameless = authority.issue("nameless");
const expired = authority.issue("expired", { names: "DNS:shop.test", days: -1 });

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** What is said of a listener with these certificates. */
async function problemsOf(certificates: readonly CertificateFiles[], ca?: string): Promise<string[]> {
  const settings = {
    listen: [
      {
        address: { kind: "tcp", host: "127.0.0.1", port: 0 },
        tls: {
          certificates,
          minVersion: "1.2",
          ...(ca !== undefined && { clientCertificates: { ca, required: false } }),
        },
      },
    ],
  } as const;
  const { files, problems } = await readTlsFiles(settings);
  return [...problems, ...checkTls(settings, files, Date.now())].map((problem) =>
    tlsProblemText(problem).replaceAll(`${folder}/`, ""),
  );
}

describe("the check of TLS files", () => {
  it("has nothing to say of good ones, a chain and a key in one file included", async () => {
    const bundle = file("bundle.pem", shop.keyPem + shop.pem + authority.pem);
    expect(await problemsOf([shop, other, { cert: bundle, key: bundle }], authority.ca)).toEqual([]);
  });

  const half = shop.pem.slice(0, shop.pem.length / 2);
  it.each([
    ["no file", () => ({ ...shop, cert: join(folder, "gone.pem") }), "gone.pem: found no file, expected"],
    ["a folder", () => ({ ...shop, key: folder }), "found something that is no file"],
    [
      "the key of another certificate",
      () => ({ ...shop, key: other.key }),
      "other.key: found the key of another certificate, expected the private key of shop.pem",
    ],
    ["an empty file", () => ({ ...shop, cert: file("empty.pem", "") }), "empty.pem: found no certificate"],
    [
      "half a certificate",
      () => ({ ...shop, cert: file("half.pem", half) }),
      "half.pem: found a certificate that breaks off",
    ],
    [
      "a chain whose second certificate breaks off",
      () => ({ ...shop, cert: file("chain.pem", shop.pem + half) }),
      "chain.pem: found a certificate that breaks off",
    ],
    [
      "a damaged certificate",
      () => ({ ...shop, cert: file("damaged.pem", shop.pem.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA")) }),
      "damaged.pem: found a damaged certificate (",
    ],
    [
      "a key in the place of a certificate",
      () => ({ ...shop, cert: shop.key }),
      "shop.key: found no certificate",
    ],
    [
      "a certificate in the place of a key",
      () => ({ ...shop, key: shop.cert }),
      "shop.pem: found no private key",
    ],
    [
      "a damaged key",
      () => ({ ...shop, key: file("damaged.key", shop.keyPem.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA")) }),
      "damaged.key: found a damaged key (",
    ],
    ["an expired certificate", () => expired, "expired.pem: found one that expired on "],
  ])("tells %s with its file, and nothing of a key", async (_what, made, text) => {
    const [first, ...others] = await problemsOf([made()]);
    expect(first).toContain(text);
    expect(others).toEqual([]);
    for (const line of shop.keyPem.split("\n").filter((each) => each.length > 30)) {
      expect(first).not.toContain(line);
    }
  });

  it("tells a key with a passphrase", async () => {
    const key = join(folder, "locked.key");
    execFileSync("openssl", ["ec", "-in", shop.key, "-aes256", "-passout", "pass:secret", "-out", key], {
      stdio: "pipe",
    });
    expect((await problemsOf([{ ...shop, key }]))[0]).toContain("locked.key: found a key with a passphrase");
  });

  it("tells a certificate without names, unless it is the first", async () => {
    expect(await problemsOf([nameless, shop])).toEqual([]);
    expect((await problemsOf([shop, nameless]))[0]).toContain(
      "nameless.pem: found a certificate without names",
    );
  });

  it("tells authorities that are none", async () => {
    expect((await problemsOf([shop], shop.key))[0]).toContain("shop.key: found no certificate");
  });

  it.skipIf(process.getuid?.() === 0)("tells a file that may not be read", async () => {
    mkdirSync(join(folder, "locked"));
    const key = join(folder, "locked", "shop.key");
    writeFileSync(key, readFileSync(shop.key));
    chmodSync(key, 0);
    expect((await problemsOf([{ ...shop, key }]))[0]).toContain("a file this process may not read");
  });
});
