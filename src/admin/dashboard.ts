import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Context, Hono } from "hono";
import type { AdminEnv } from "./operation.ts";

/** One file of the dashboard, with what the build compressed of it. */
interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly br: Uint8Array<ArrayBuffer> | undefined;
  readonly gzip: Uint8Array<ArrayBuffer> | undefined;
}

/** The built dashboard, held in memory: its page and its assets, whose names change with their content. */
export interface Dashboard {
  readonly page: PageFile;
  /** By path, "/assets/main-1a2b3c.js". */
  readonly assets: ReadonlyMap<string, PageFile>;
}

const BUILT: string = new URL("../dashboard/", import.meta.url).pathname;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Scripts and styles of this address alone, nothing inline; the page talks to nobody else and stands in no frame. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** Undefined: it was not built, as in a checkout whose sources are run. `folder`: by default beside the compiled code. */
export async function openDashboard(folder: string = BUILT): Promise<Dashboard | undefined> {
  let names: readonly string[];
  try {
    names = await readdir(folder, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const known = new Set(names);
  const page = known.has("index.html") ? await readPageFile(folder, "index.html", known) : undefined;
  if (page === undefined) return undefined;
  const assets = new Map<string, PageFile>();
  for (const name of names) {
    if (!name.startsWith("assets") || TYPES[extname(name)] === undefined) continue;
    assets.set(`/${name}`, await readPageFile(folder, name, known));
  }
  return { page, assets };
}

async function readPageFile(folder: string, name: string, known: ReadonlySet<string>): Promise<PageFile> {
  const bytes = await readFile(join(folder, name));
  const compressed = async (ending: string): Promise<PageFile["br"]> =>
    known.has(name + ending) ? await readFile(join(folder, name + ending)) : undefined;
  return {
    type: TYPES[extname(name)] ?? "application/octet-stream",
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    bytes,
    br: await compressed(".br"),
    gzip: await compressed(".gz"),
  };
}

/** Serves the assets; the page itself is an operation, as it logs in too. */
export function mountAssets(api: Hono<AdminEnv>, dashboard: Dashboard | undefined): void {
  for (const [path, file] of dashboard?.assets ?? []) {
    api.get(path, (c) => fileAnswer(c, file, "public, max-age=31536000, immutable"));
  }
}

/** The page, looked at anew each time: a new version of the gateway shows its own. */
export function pageAnswer(c: Context<AdminEnv>, { page }: Dashboard): Response {
  return fileAnswer(c, page, "no-cache");
}

function fileAnswer(c: Context<AdminEnv>, file: PageFile, caching: string): Response {
  const headers = {
    "Cache-Control": caching,
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    ETag: file.etag,
    Vary: "Accept-Encoding",
  };
  if (c.req.header("if-none-match") === file.etag) return c.body(null, 304, headers);
  const [encoding, bytes] = chosen(file, c.req.header("accept-encoding") ?? "");
  return c.body(bytes, 200, {
    ...headers,
    "Content-Type": file.type,
    ...(encoding !== undefined && { "Content-Encoding": encoding }),
  });
}

function chosen(
  { bytes, br, gzip }: PageFile,
  accepted: string,
): readonly [encoding: string | undefined, bytes: Uint8Array<ArrayBuffer>] {
  const takes = (coding: string): boolean =>
    accepted.split(",").some((entry) => {
      const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
      return name === coding && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    });
  if (br !== undefined && takes("br")) return ["br", br];
  if (gzip !== undefined && takes("gzip")) return ["gzip", gzip];
  return [undefined, bytes];
}
