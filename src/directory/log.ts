import type { Logger } from "pino";

/** What the parts above the request path need of a pino logger. */
export type Log = Pick<Logger, "info" | "warn" | "error">;
