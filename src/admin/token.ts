import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { newToken } from "./token-text.ts";

const SHORTEST = 16;

export interface AdminToken {
  readonly token: string;
  /** True at first start: nobody has seen this token yet. */
  readonly made: boolean;
  /** The file that holds it; undefined when it came from the configuration. */
  readonly path: string | undefined;
}

/**
 * The configured token, else the one in `admin-token` of the data folder (mode 0600), which is made of 256 random bits
 * when it does not exist. There is no default credential. Throws when the file cannot be read or holds no usable token.
 */
export async function adminToken(options: {
  readonly configured?: string;
  readonly folder: string;
}): Promise<AdminToken> {
  if (options.configured !== undefined) return { token: options.configured, made: false, path: undefined };
  const path = join(options.folder, "admin-token");
  await mkdir(options.folder, { recursive: true });
  const made = await create(path);
  if (made !== undefined) return { token: made, made: true, path };
  const token = (await readFile(path, "utf8")).trim();
  if (token.length < SHORTEST || /\s/.test(token)) {
    throw new Error(
      `${path} holds no usable token: found ${token.length} characters, expected at least ${SHORTEST} without spaces. ` +
        "Write one there, or delete the file to have one made at the next start.",
    );
  }
  await chmod(path, 0o600);
  return { token, made: false, path };
}

/**
 * Writes a fresh token unless the file exists. The name appears by `link`, complete and never over another one, so
 * neither a crash nor a second process starting at the same time can leave an empty or a changed token.
 */
async function create(path: string): Promise<string | undefined> {
  const token = newToken();
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(`${token}\n`);
    await file.sync();
    await file.close();
    await link(temporary, path);
    return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  } finally {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
  }
}
