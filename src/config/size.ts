/** What a size must look like, for people. */
export const SIZE_EXPECTED = 'a size like "512B", "16KiB" or "1MiB", or a whole number of bytes';

const UNITS: Readonly<Record<string, number>> = { "": 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** "16KiB", "1MiB", "512B", "4096" or 4096 to bytes; undefined for anything else. */
export function parseSize(size: string | number): number | undefined {
  const parts = /^(\d{1,15})(|B|KiB|MiB|GiB)$/.exec(String(size));
  if (parts === null) return undefined;
  const bytes = Number(parts[1]) * UNITS[parts[2]!]!;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
