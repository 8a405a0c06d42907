import { readFileSync, readdirSync } from "node:fs";

/** Kept back for files: documents, logs, the channel to the supervisor. */
const RESERVE = 16;

/** What the limit on open files of this process leaves room for. */
export interface DescriptorRoom {
  /** Client connections: each may need a second descriptor for its server. */
  readonly connections: number;
  /** Connections that are told at the same time that there is no room for them. */
  readonly turnedAway: number;
}

/** Infinite where the system does not say. (Node.js raises the soft limit to the hard one at its start.) */
export function descriptorRoom(): DescriptorRoom {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
    const room = Math.max(0, most - readdirSync("/proc/self/fd").length - RESERVE);
    return { connections: Math.max(1, Math.floor(room * 0.45)), turnedAway: Math.floor(room * 0.1) };
  } catch {
    return { connections: Infinity, turnedAway: Infinity };
  }
}
