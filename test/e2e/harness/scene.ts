import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Everything a scenario opened, closed in reverse order at its end. */
export interface Scene {
  /** Runs `close` at the end; what it throws fails the test, after everything else was closed too. */
  defer(close: () => unknown): void;
  /** A new temporary folder, removed at the end. */
  folder(): Promise<string>;
}

/** `onEnd`: the hook that ends the scene, vitest's `afterAll` for a file or `onTestFinished` for one test. */
export function openScene(onEnd: (close: () => Promise<void>) => void): Scene {
  const open: (() => unknown)[] = [];
  const scene: Scene = {
    defer: (close) => void open.push(close),
    folder: async () => {
      const path = await mkdtemp(join(tmpdir(), "halftone-e2e-"));
      scene.defer(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
      return path;
    },
  };
  onEnd(async () => {
    const errors: unknown[] = [];
    for (const close of open.reverse()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  });
  return scene;
}
