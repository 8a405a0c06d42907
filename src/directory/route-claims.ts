import type { AppDocument } from "../config/app-document.ts";
import { compileRoutes } from "../config/compile-app.ts";
import type { Problem } from "../config/problem.ts";
import { routeKey } from "../core/route-table.ts";

/** Which app claims which route, over all apps: two may not claim the same one. */
export class RouteClaims {
  /** By route key: the apps that claim it, the first comer first. More than one only if the directory came with it. */
  readonly #holders = new Map<string, readonly string[]>();

  /** Replaces what the app claimed before. Undefined: it claims nothing any more. */
  change(name: string, before: AppDocument | undefined, after: AppDocument | undefined): void {
    for (const key of keysOf(before)) {
      const others = (this.#holders.get(key) ?? []).filter((holder) => holder !== name);
      if (others.length === 0) this.#holders.delete(key);
      else this.#holders.set(key, others);
    }
    for (const key of keysOf(after)) this.#holders.set(key, [...(this.#holders.get(key) ?? []), name]);
  }

  /** The routes of the document that another app claims. */
  conflicts(name: string, document: AppDocument): readonly Problem[] {
    return compileRoutes(document).flatMap((route, index) => {
      const holder = this.#holders.get(routeKey(route))?.find((app) => app !== name);
      if (holder === undefined) return [];
      const written = document.routes !== undefined;
      return {
        path: written ? `routes[${index}]` : "routes",
        found: written ? JSON.stringify(document.routes[index]) : "nothing, which claims any host and path",
        expected: `a route of its own: ${routeKey(route)} is already claimed by app ${holder}`,
      };
    });
  }
}

function keysOf(document: AppDocument | undefined): readonly string[] {
  return document === undefined ? [] : compileRoutes(document).map(routeKey);
}
