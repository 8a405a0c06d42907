import { randomBytes } from "node:crypto";
import { link, lstat, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Replacing a file so that after a crash at any instant either the old or the new content is there, whole:
 * write a temporary file beside it, fsync it, rename it over the old one, fsync the folder.
 *
 * Not write-file-atomic: it writes with a single write(2), and on a disk that fills up in the middle that call reports
 * fewer bytes and no error, so a truncated file would be renamed over the good one. It leaves out the folder's fsync, too.
 */
export async function replaceFile(
  path: string,
  text: string,
  options: {
    /** The old file is kept under this path. */
    readonly keepOldAs?: string;
    /** Of the new file, from its first byte on. Default: what the umask leaves of 0o666. */
    readonly mode?: number;
  } = {},
): Promise<FileIdentity> {
  const temporary = temporaryPath(path);
  try {
    const identity = await writeDurably(temporary, text, options.mode);
    if (options.keepOldAs !== undefined) await keepAs(path, options.keepOldAs);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return identity;
  } catch (error) {
    // What went wrong first is what people need to know; a leftover is removed at the next start.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Tells one written file from another that took its place. */
export type FileIdentity = string;

/** Undefined if there is no such file. */
export async function identifyFile(path: string): Promise<FileIdentity | undefined> {
  try {
    return identityOf(await lstat(path, { bigint: true }));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Moves a file out of the way, never over another one; returns where it lies now: `<path>.damaged-<time>`. */
export async function setFileAside(path: string, now: number): Promise<string> {
  const stamp = new Date(now).toISOString().replaceAll(/[-:.]/g, "");
  let target = `${path}.damaged-${stamp}`;
  for (let n = 2; (await identifyFile(target)) !== undefined; n += 1) {
    target = `${path}.damaged-${stamp}-${n}`;
  }
  await rename(path, target);
  await syncFolder(dirname(path));
  return target;
}

/** The file a path made by `setFileAside` was moved from, or undefined if it is not such a path. */
export function setAsideFrom(path: string): string | undefined {
  return /^(.*)\.damaged-\d{8}T\d{9}Z(?:-\d+)?$/s.exec(path)?.[1];
}

/** Removes what writers that died in the middle of `replaceFile` left in this folder. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const writer = TEMPORARY.exec(name);
    if (writer === null || isWriting(Number(writer[1]), writer[2]!)) continue;
    await rm(join(folder, name), { force: true });
  }
}

/** The code of a system error like "ENOSPC"; undefined for every other error. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "syscall" in error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

const TEMPORARY = /^\..+\.tmp-(\d+)-([0-9a-f]{8})-\d+$/;
/** A process number alone does not name a writer: in a container it is the same at each start. */
const WRITER = randomBytes(4).toString("hex");
let written = 0;

/** Begins with a dot, so it can be mistaken for no app's file. */
function temporaryPath(path: string): string {
  written += 1;
  return join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${WRITER}-${written}`);
}

function isWriting(pid: number, writer: string): boolean {
  if (pid === process.pid) return writer === WRITER;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

async function writeDurably(path: string, text: string, mode: number | undefined): Promise<FileIdentity> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(text, "utf8");
    await file.sync();
    return identityOf(await file.stat({ bigint: true }));
  } finally {
    await file.close();
  }
}

/** By a second name for the same file, so that at no instant the first one is missing. */
async function keepAs(path: string, kept: string): Promise<void> {
  const second = temporaryPath(kept);
  try {
    await link(path, second);
    await rename(second, kept);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return;
    // A file system without hard links.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
    await rename(path, kept);
  } finally {
    await rm(second, { force: true });
  }
}

/** Makes the renames in a folder durable. Some file systems know no fsync of folders; there the rename has to do. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    if (errorCode(error) !== "EINVAL" && errorCode(error) !== "ENOTSUP") throw error;
  } finally {
    await handle.close();
  }
}

function identityOf(stats: {
  readonly ino: bigint;
  readonly mtimeNs: bigint;
  readonly size: bigint;
}): FileIdentity {
  return `${stats.ino}:${stats.mtimeNs}:${stats.size}`;
}
