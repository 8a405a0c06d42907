/** Something that must not be. */
export interface Finding {
  /** What is wrong, the same words for the same fault: inputs are made smaller as long as these stay. */
  readonly kind: string;
  readonly detail: string;
}

export function finding(kind: string, detail: string): Finding {
  return { kind, detail };
}
