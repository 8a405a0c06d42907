/** One thing wrong with what a person wrote: where, what was found, what is expected. */
export interface Problem {
  /** Path of the field, like `groups.group1.servers[2]`; "" for the document itself. */
  readonly path: string;
  /** What stands there, shortened, as JSON; "nothing" when the field is missing. */
  readonly found: string;
  readonly expected: string;
}

/** The value, or every problem of the input together. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };
