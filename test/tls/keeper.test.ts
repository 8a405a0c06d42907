import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import type { ListenSettings } from "../../src/config/gateway-settings.ts";
import type { CertificateFiles } from "../../src/config/tls-settings.ts";
import type { TlsMaterial } from "../../src/gateway/tls-material.ts";
import { TlsKeeper } from "../../src/process/tls-keeper.ts";
import { eventually } from "../gateway/harness.ts";
import { Authority, replaceBy, temporaryFolder } from "./certificates.ts";

const folder = temporaryFolder(afterAll);
const authority = new Authority(folder);
const first = authority.issue("first", { names: "DNS:a.test" });
const second = authority.issue("second", { names: "DNS:a.test" });
const expired = authority.issue("expired", { names: "DNS:a.test", days: -1 });

function settings(...certificates: readonly CertificateFiles[]): { listen: readonly ListenSettings[] } {
  return {
    listen: [
      {
        address: { kind: "tcp", host: "127.0.0.1", port: 0 },
        tls: { certificates, minVersion: "1.2" },
      },
    ],
  };
}

interface Watching {
  readonly keeper: TlsKeeper;
  readonly applied: TlsMaterial[];
  readonly log: string[];
  /** The log says so. */
  readonly logged: (text: string) => Promise<void>;
}

let places = 0;

/** A place of its own for a certificate: copies of the files of `made`. */
function place(made: CertificateFiles): CertificateFiles {
  const at = { cert: join(folder, `place-${++places}.pem`), key: join(folder, `place-${places}.key`) };
  replaceBy(at, made);
  return at;
}

async function watching(...certificates: readonly CertificateFiles[]): Promise<Watching> {
  const log: string[] = [];
  const write = (...entry: readonly unknown[]): void =>
    void log.push(entry.map((each) => JSON.stringify(each)).join(" "));
  const keeper = new TlsKeeper({ info: write, warn: write, error: write });
  const applied: TlsMaterial[] = [];
  const apply = (material: TlsMaterial): Promise<void> => Promise.resolve(void applied.push(material));
  await keeper.take(settings(...certificates), apply);
  keeper.watch(apply, 10);
  onTestFinished(() => keeper.stop());
  const logged = (text: string): Promise<void> =>
    eventually(() => log.some((line) => line.includes(text)), text);
  return { keeper, applied, log, logged };
}

describe("TLS files", () => {
  it("are put in force when they change, with the same ticket keys", async () => {
    const at = place(first);
    const { applied, logged } = await watching(at);
    replaceBy(at, second);
    await logged("new TLS files are in force");
    expect(applied.map(({ files }) => files[at.cert])).toEqual([first.pem, second.pem]);
    expect(applied[1]?.ticketSecret).toBe(applied[0]?.ticketSecret);
    expect(Buffer.from(applied[0]!.ticketSecret, "base64")).toHaveLength(48);
  });

  it("are followed through a symbolic link that is turned, as mounted secrets are", async () => {
    const [old, next] = [join(folder, "v1"), join(folder, "v2")];
    for (const [path, made] of [
      [old, first],
      [next, second],
    ] as const) {
      mkdirSync(path);
      replaceBy({ cert: join(path, "tls.pem"), key: join(path, "tls.key") }, made);
    }
    const link = join(folder, "current");
    symlinkSync(old, link);
    const at = { cert: join(link, "tls.pem"), key: join(link, "tls.key") };
    const { applied, logged } = await watching(at);
    symlinkSync(next, `${link}.new`);
    renameSync(`${link}.new`, link);
    await logged("new TLS files are in force");
    expect(applied[1]?.files[at.cert]).toBe(second.pem);
  });

  it.each<[string, (at: CertificateFiles) => void, string]>([
    [
      "half written",
      (at) => writeFileSync(at.cert, second.pem.slice(0, 200)),
      "a certificate that breaks off",
    ],
    ["empty", (at) => writeFileSync(at.key, ""), "no private key"],
    ["gone", (at) => rmSync(at.key), "no file"],
    ["without its key", (at) => writeFileSync(at.cert, second.pem), "the key of another certificate"],
    ["expired", (at) => replaceBy(at, expired), "one that expired on"],
  ])(
    "that are %s leave the old ones in force, and others are renewed all the same",
    async (_what, spoil, reason) => {
      const [at, other] = [place(first), place(second)];
      const { applied, log, logged, keeper } = await watching(at, other);
      spoil(at);
      await logged(reason);
      expect(log.find((line) => line.includes(reason))).toMatch(
        /place-\d+\.(pem|key): found .*what was read before stays in force/,
      );
      expect(applied).toHaveLength(1);
      replaceBy(other, first);
      await logged("new TLS files are in force");
      expect(applied[1]?.files).toEqual({
        ...applied[0]?.files,
        [other.cert]: first.pem,
        [other.key]: first.keyPem,
      });
      replaceBy(at, second);
      await eventually(() => keeper.material.files[at.cert] === second.pem, "the repaired file");
      expect(
        log.filter((line) => line.includes("found")).every((line) => !line.includes("PRIVATE KEY")),
      ).toBe(true);
    },
  );

  it("that cannot be used are told at a start, all of them; what is only out of date is served", async () => {
    const keeper = new TlsKeeper({ info: () => {}, warn: () => {}, error: () => {} });
    const apply = (): Promise<void> => Promise.resolve();
    const bad = settings({ ...first, key: second.key }, { cert: "/nowhere.pem", key: first.key });
    await expect(keeper.take(bad, apply)).rejects.toThrow(
      /nowhere\.pem: found no file[^]*second\.key: found the key of another certificate/,
    );
    await keeper.take(settings(expired), apply);
    expect(keeper.material.files[expired.cert]).toBe(expired.pem);
    await keeper.take(settings(expired, first), apply);
    const other = authority.issue("expired-too", { names: "DNS:a.test", days: -1 });
    await expect(keeper.take(settings(other), apply)).rejects.toThrow(
      /expired-too\.pem: found one that expired/,
    );
  });

  it("whose reload is refused by whoever applies them leave the old ones", async () => {
    const { keeper, applied } = await watching(first);
    await expect(keeper.take(settings(second), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(keeper.material.files).toEqual(applied[0]?.files);
  });
});
