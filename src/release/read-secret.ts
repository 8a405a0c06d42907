import { readFile } from "node:fs/promises";

/** A secret is not empty, and does not begin or end with blanks: editors add a line end. */
export async function readSecret(file: string): Promise<string> {
  const secret = (await readFile(file, "utf8")).trim();
  if (secret === "") throw new Error("the file of the secret is empty");
  return secret;
}
