import type { AppDocument } from "../config/app-document.ts";
import type { HalftoneConfig } from "../config/halftone-config.ts";
import type { Directory, StoredApp } from "../directory/directory.ts";
import { FileDirectory } from "../directory/file-directory.ts";
import { MemoryDirectory } from "../directory/memory-directory.ts";
import { LocalRoster, type Roster } from "./roster.ts";

/** What a gateway shares with the others of its directory. */
export interface Shared {
  readonly directory: Directory;
  /** As `AppStoreOptions` has it. */
  readonly fromBackup?: (app: StoredApp) => StoredApp | undefined;
  readonly roster: Roster;
}

/** The directory of the configuration. Opens nothing yet. What is about Redis is loaded only when it is used. */
export async function openShared(config: HalftoneConfig, documents: readonly AppDocument[]): Promise<Shared> {
  const { directory, name } = config;
  switch (directory.kind) {
    case "memory":
      return { directory: new MemoryDirectory(), roster: new LocalRoster() };
    case "file":
      return { directory: new FileDirectory(directory.folder), roster: new LocalRoster() };
    case "redis": {
      const { RedisRoster } = await import("./redis-roster.ts");
      if (directory.target.layout === "original") {
        const { OriginalDirectory } = await import("../directory/redis/original-directory.ts");
        const original = new OriginalDirectory({ config: directory, documents, gateway: name });
        return {
          directory: original,
          roster: new RedisRoster(original.link),
          fromBackup: (app) => original.withFile(app),
        };
      }
      const { RedisDirectory } = await import("../directory/redis/redis-directory.ts");
      const shared = new RedisDirectory({ config: directory, gateway: name });
      return { directory: shared, roster: new RedisRoster(shared.link) };
    }
  }
}
