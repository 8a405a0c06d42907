/** Names of apps and of what they name. */
export const NAME: RegExp = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

export const NAME_EXPECTED: string =
  "a name of 1 to 64 letters, digits, _ . or -, the first one a letter, digit or _";
