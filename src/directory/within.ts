/** Something took longer than it may. */
export class TooSlow extends Error {
  override readonly name = "TooSlow";
}

/** Rejects with `TooSlow` after so many ms; what comes later is ignored. */
export async function within<T>(limit: number, task: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooSlow(`no answer within ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([task, late]);
  } finally {
    clearTimeout(timer);
    task.catch(() => undefined);
  }
}
