import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Logger } from "pino";
import type { GatewaySettings } from "../config/gateway-settings.ts";
import type { CertificateFiles } from "../config/tls-settings.ts";
import { SerialQueue } from "../directory/serial-queue.ts";
import { checkTls } from "../gateway/tls-check.ts";
import {
  readTlsFiles,
  tlsPathsOf,
  tlsProblemText,
  type TlsFiles,
  type TlsMaterial,
  type TlsProblem,
} from "../gateway/tls-material.ts";

type Log = Pick<Logger, "info" | "warn" | "error">;
type TlsSettings = Pick<GatewaySettings, "listen" | "serverTls">;

/** How often files are looked at, in ms. They have to stand still for as long before they are read. */
const INTERVAL = 1000;

/**
 * The files of TLS as the supervisor keeps them: it reads and checks them for all processes, and notices when they
 * change. What is in force never gets worse by a file: one that cannot be used leaves the old text where it is.
 *
 * Files are looked at by their inodes, sizes and times rather than watched: a mounted secret (a symbolic link that is
 * turned to another folder) tells nothing through inotify.
 */
export class TlsKeeper {
  private readonly log: Log;
  private readonly queue: SerialQueue = new SerialQueue();
  private readonly ticketSecret: string = randomBytes(48).toString("base64");
  private settings: TlsSettings = { listen: [] };
  private files: TlsFiles = {};
  /** State of the files that was judged last. */
  private judged = "";
  /** State that was seen at the last look, if it differs. */
  private seen = "";
  private timer: NodeJS.Timeout | undefined;

  constructor(log: Log) {
    this.log = log;
  }

  get material(): TlsMaterial {
    return { files: this.files, ticketSecret: this.ticketSecret };
  }

  /**
   * Reads and checks the files of these settings, and has `apply` put them in force; nothing changes if either of them
   * throws. An Error names every file that cannot be used, and why. A certificate whose dates are wrong is refused,
   * unless it is in force already or nothing else is.
   */
  take(settings: TlsSettings, apply: (material: TlsMaterial) => Promise<void>): Promise<void> {
    return this.queue.run(async () => {
      const state = await stateOf(settings);
      const { files, problems } = await readTlsFiles(settings);
      const isFirst = this.judged === "";
      const found = [...problems, ...checkTls(settings, files, Date.now())];
      const isNew = (file: string): boolean => !isFirst && files[file] !== this.files[file];
      const refused = found.filter(({ file, outOfDate }) => outOfDate !== true || isNew(file));
      if (refused.length > 0) throw new Error(refused.map(tlsProblemText).join("\n"));
      await apply({ files, ticketSecret: this.ticketSecret });
      for (const problem of found) this.log.error(`${tlsProblemText(problem)}; it is served all the same`);
      this.settings = settings;
      this.files = files;
      this.judged = state;
      this.seen = state;
    });
  }

  /** From now on `apply` puts changed files in force. `interval`: milliseconds. */
  watch(apply: (material: TlsMaterial) => Promise<void>, interval: number = INTERVAL): void {
    this.timer = setTimeout(() => {
      void this.queue
        .run(() => this.look(apply))
        .catch((error: unknown) => this.log.error(`TLS files: ${(error as Error).message}`))
        .then(() => {
          if (this.timer !== undefined) this.watch(apply, interval);
        });
    }, interval);
    this.timer.unref();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async look(apply: (material: TlsMaterial) => Promise<void>): Promise<void> {
    const { settings } = this;
    const state = await stateOf(settings);
    const stands = state === this.seen;
    this.seen = state;
    if (state === this.judged || !stands) return;
    const { files: read, problems } = await readTlsFiles(settings);
    // Changed while it was read: perhaps half of each. The next look takes it up.
    if ((await stateOf(settings)) !== state) return;
    this.judged = state;
    const found = [...problems, ...checkTls(settings, read, Date.now())].filter(
      (problem) => problem.outOfDate !== true || read[problem.file] !== this.files[problem.file],
    );
    const files = withoutBad(settings, read, this.files, found);
    for (const problem of found) {
      this.log.error(
        { file: problem.file },
        `${tlsProblemText(problem)}; what was read before stays in force`,
      );
    }
    const changed = Object.keys(files).filter((path) => files[path] !== this.files[path]);
    if (changed.length === 0) return;
    await apply({ files, ticketSecret: this.ticketSecret });
    this.files = files;
    this.log.info({ files: changed }, "new TLS files are in force");
  }
}

/** New texts where they are good, old ones elsewhere: one broken certificate must not keep others from being renewed. */
function withoutBad(
  settings: TlsSettings,
  read: TlsFiles,
  old: TlsFiles,
  found: readonly TlsProblem[],
): TlsFiles {
  if (found.length === 0) return read;
  const bad = new Set(found.map(({ file }) => file));
  for (const { cert, key } of pairsOf(settings)) {
    // A certificate and its key go together, whichever of them is to blame.
    if (bad.has(cert) || bad.has(key)) bad.add(cert).add(key);
  }
  const kept = [...bad].flatMap((path) => (old[path] === undefined ? [] : [[path, old[path]] as const]));
  const mixed = { ...read, ...Object.fromEntries(kept) };
  const remaining = checkTls(settings, mixed, Date.now()).filter(({ outOfDate }) => outOfDate !== true);
  return remaining.length === 0 ? mixed : old;
}

function pairsOf({ listen, serverTls = {} }: TlsSettings): readonly CertificateFiles[] {
  return [
    ...listen.flatMap(({ tls }) => tls?.certificates ?? []),
    ...Object.values(serverTls).flatMap(({ certificate }) => certificate ?? []),
  ];
}

/** Differs when a file does. */
async function stateOf(settings: TlsSettings): Promise<string> {
  const states = await Promise.all(
    tlsPathsOf(settings).map(async (path) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
        return `${path} ${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
      } catch (error) {
        return `${path} ${(error as NodeJS.ErrnoException).code}`;
      }
    }),
  );
  return `${states.join("\n")}\n`;
}
