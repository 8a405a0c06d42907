import type { AppStore } from "../directory/app-store.ts";
import type { Audit } from "./audit.ts";
import type { GatewayView } from "./gateway-view.ts";
import type { TokenSet } from "./token-set.ts";

/** What the admin API stands on. */
export interface AdminDeps {
  readonly store: AppStore;
  readonly tokens: TokenSet;
  readonly audit: Audit;
  readonly gateway: GatewayView;
  /** Version of Halftone, for the OpenAPI document. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
