const LONGEST = 64;

/**
 * Who made a change, for the audit: the token's name, and what the client says of itself in `X-Halftone-Actor` ("ci",
 * "alice"). The second part is a claim; it stands in brackets, and cannot close them or fake another name.
 */
export function actor(tokenName: string, claimed: string | undefined): string {
  const plain = (claimed ?? "")
    .replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]|[()]/gu, "")
    .trim()
    .slice(0, LONGEST);
  return plain === "" ? tokenName : `${tokenName} (${plain})`;
}
