/** Time a condition may take to come true before a scenario fails, in ms. */
const PATIENCE = 10_000;
const PAUSE = 15;

/**
 * Polls until `condition` answers something other than undefined, null or false, and returns that. The error names what
 * was waited for, and what was there instead.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: {
    /** In ms; default 10 000. */
    readonly patience?: number;
    /** For the error: what stands instead. */
    readonly instead?: () => unknown;
  } = {},
): Promise<Exclude<T, undefined | null | false>> {
  const patience = options.patience ?? PATIENCE;
  const deadline = performance.now() + patience;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) {
      return value as Exclude<T, undefined | null | false>;
    }
    if (performance.now() > deadline) {
      const instead = options.instead === undefined ? "" : `; instead: ${JSON.stringify(options.instead())}`;
      throw new Error(`waited ${patience} ms in vain for ${what}${instead}`);
    }
    await pause(PAUSE);
  }
}

/** Only for polling and for faults at a random moment, never to "let something happen". */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
