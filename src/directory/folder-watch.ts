import { type FSWatcher, watch } from "node:fs";

export interface FolderWatch {
  /** Changes within this many ms are told together. */
  readonly delay: number;
  readonly matches: (file: string) => boolean;
  readonly changed: (files: ReadonlySet<string>) => void;
  /** The watch has ended by itself. */
  readonly failed: (error: Error) => void;
}

/** Tells which files of a folder came, went or were replaced. Never throws, never keeps the process alive. */
export function watchFolder(folder: string, options: FolderWatch): () => void {
  let files = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    timer = undefined;
    const told = files;
    files = new Set();
    options.changed(told);
  };
  let watcher: FSWatcher;
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
    watcher.close();
  };
  try {
    watcher = watch(folder, { persistent: false }, (_event, file) => {
      if (file === null || !options.matches(file)) return;
      files.add(file);
      timer ??= setTimeout(flush, options.delay).unref();
    });
  } catch (error) {
    // Later, as every other failure, so that the caller has the stop function by then.
    queueMicrotask(() => options.failed(error as Error));
    return () => undefined;
  }
  watcher.on("error", (error) => {
    stop();
    options.failed(error);
  });
  return stop;
}
