import { readFile } from "node:fs/promises";
import type { RedisConfig } from "../../config/halftone-config.ts";
import { DirectoryUnavailable } from "../directory.ts";

/** Secrets and certificates as the connection takes them, read from their files. */
export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
  /** Present when the connection is by TLS: PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** Read anew for every connection, so that a changed password or certificate needs no restart. */
export async function readLogin(config: RedisConfig): Promise<RedisLogin> {
  const { target, passwordFile, ca, cert, key } = config;
  const password = passwordFile === undefined ? target.password : (await read(passwordFile)).trim();
  return {
    ...(target.username !== undefined && { username: target.username }),
    ...(password !== undefined && { password }),
    ...(target.tls && {
      tls: {
        ...(ca !== undefined && { ca: await read(ca) }),
        ...(cert !== undefined && { cert: await read(cert) }),
        ...(key !== undefined && { key: await read(key) }),
      },
    }),
  };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new DirectoryUnavailable(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
