/**
 * Halftone as a library: the data plane to embed in a program of one's own. Release control, admin API and processes
 * come with the command `halftone`.
 */
export {
  createGateway,
  type EmbeddedGateway,
  type EmbeddedGatewayOptions,
  type EmbeddedListen,
} from "./create-gateway.ts";
export type { AppDocument } from "./config/app-document.ts";
export type { Problem } from "./config/problem.ts";
export type { ServerStatus } from "./gateway/server-status.ts";
