import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CertificateFiles } from "../../src/config/tls-settings.ts";

/** A certificate with its key, as files and as texts. */
export interface MadeCertificate extends CertificateFiles {
  readonly pem: string;
  readonly keyPem: string;
}

export interface CertificateWish {
  /** As openssl writes it: "/CN=shop.test/OU=QA". Default: "/CN=" and the file's name. */
  readonly subject?: string;
  /** subjectAltName: "DNS:shop.test,IP:127.0.0.1". Default: none. */
  readonly names?: string;
  /** Days it is valid, from today on. -1: expired yesterday. Default 2. */
  readonly days?: number;
}

/** An authority of a test, made by the openssl command. */
export class Authority {
  readonly folder: string;
  /** PEM file of its own certificate. */
  readonly ca: string;
  private serial = 1;

  constructor(folder: string, name: string = "ca") {
    this.folder = folder;
    this.ca = join(folder, `${name}.pem`);
    openssl(folder, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2", [
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.pem`,
      "-subj",
      `/CN=Halftone test ${name}`,
    ]);
  }

  get pem(): string {
    return readFileSync(this.ca, "utf8");
  }

  get keyPem(): string {
    return readFileSync(this.ca.replace(/pem$/, "key"), "utf8");
  }

  /** Issues NAME.pem and NAME.key. */
  issue(name: string, wish: CertificateWish = {}): MadeCertificate {
    const { folder } = this;
    const file = join(folder, `${name}.pem`);
    const key = join(folder, `${name}.key`);
    const names = wish.names === undefined ? [] : ["-addext", `subjectAltName=${wish.names}`];
    openssl(folder, "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes", [
      "-keyout",
      key,
      "-out",
      `${name}.csr`,
      "-subj",
      wish.subject ?? `/CN=${name}`,
      ...names,
    ]);
    openssl(folder, `x509 -req -copy_extensions copy -days ${wish.days ?? 2} -set_serial ${this.serial++}`, [
      "-in",
      `${name}.csr`,
      "-CA",
      this.ca,
      "-CAkey",
      this.ca.replace(/pem$/, "key"),
      "-out",
      file,
    ]);
    return { cert: file, key, pem: readFileSync(file, "utf8"), keyPem: readFileSync(key, "utf8") };
  }
}

/** A folder that is removed by `onEnd`, vitest's `afterAll` or `onTestFinished`. */
export function temporaryFolder(onEnd: (remove: () => void) => void): string {
  const folder = mkdtempSync(join(tmpdir(), "halftone-tls-"));
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Puts the files of one certificate in the place of another's. */
export function replaceBy(place: CertificateFiles, made: CertificateFiles): void {
  copyFileSync(made.key, place.key);
  copyFileSync(made.cert, place.cert);
}

function openssl(folder: string, command: string, more: readonly string[]): void {
  execFileSync("openssl", [...command.split(" "), ...more], { cwd: folder, stdio: "pipe" });
}
