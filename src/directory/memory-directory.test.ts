import { describeDirectory } from "./directory.contract.ts";
import { MemoryDirectory } from "./memory-directory.ts";

describeDirectory("memory", () => Promise.resolve(new MemoryDirectory()));
