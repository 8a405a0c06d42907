import { chmod, readFile } from "node:fs/promises";
import { z } from "zod";
import { NAME } from "../config/names.ts";
import { errorCode, replaceFile } from "../directory/durable-file.ts";
import { seal, unseal } from "../directory/sealed-json.ts";
import { ROLES, type Role } from "./role.ts";

const FORMAT = "halftone-tokens-1";
const MODE = 0o600;

/** A token as it is kept: never its text. */
export interface StoredToken {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of its text, in hex. */
  readonly digest: string;
  /** ISO 8601. */
  readonly created: string;
  /** Who made it. */
  readonly by: string;
  /** ISO 8601; null: never. */
  readonly expires: string | null;
}

export type TokenFile =
  | { readonly kind: "read"; readonly tokens: readonly StoredToken[] }
  | { readonly kind: "damaged"; readonly reason: string };

const time = z.iso.datetime();

const content = z.strictObject({
  tokens: z.array(
    z.strictObject({
      name: z.string().regex(NAME),
      role: z.enum(ROLES),
      digest: z.string().regex(/^[0-9a-f]{64}$/),
      created: time,
      by: z.string(),
      expires: time.nullable(),
    }),
  ),
});

/** No file: no tokens. One that is not whole is told as damaged and stays where it is. */
export async function readTokenFile(path: string): Promise<TokenFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
    await chmod(path, MODE);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return { kind: "read", tokens: [] };
    return { kind: "damaged", reason: (error as Error).message };
  }
  const unsealed = unseal(FORMAT, text);
  if (!unsealed.ok) return { kind: "damaged", reason: unsealed.reason };
  const checked = content.safeParse(unsealed.content);
  return checked.success
    ? { kind: "read", tokens: checked.data.tokens }
    : { kind: "damaged", reason: "it holds something else than a list of tokens" };
}

export async function writeTokenFile(path: string, tokens: readonly StoredToken[]): Promise<void> {
  await replaceFile(path, seal(FORMAT, { tokens }), { mode: MODE });
}
