/** The smallest input found, by taking bytes out and making them plain, for which `fails` still holds. */
export function shrink(input: Buffer, fails: (smaller: Buffer) => boolean): Buffer {
  let best = input;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at + size <= best.length;) {
        const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
        if (fails(shorter)) {
          best = shorter;
          isSmaller = true;
        } else at += size;
      }
    }
  }
  for (let at = 0; at < best.length; at++) {
    if (best[at] === 0x61) continue;
    const plainer = Buffer.from(best);
    plainer[at] = 0x61;
    if (fails(plainer)) best = plainer;
  }
  return best;
}
