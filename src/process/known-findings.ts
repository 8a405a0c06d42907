import type { HealthFinding, OutOfService } from "../gateway/server-status.ts";

/** What is known of servers that are out, however many processes found out. */
export class KnownFindings {
  readonly #apps = new Map<string, Map<string, OutOfService>>();

  take(finding: HealthFinding): void {
    const key = `${finding.kind === "check" ? "check" : "traffic"} ${finding.server}`;
    const known = this.#apps.get(finding.app) ?? new Map<string, OutOfService>();
    if (finding.kind === "dead" || (finding.kind === "check" && !finding.healthy)) known.set(key, finding);
    else known.delete(key);
    if (known.size === 0) this.#apps.delete(finding.app);
    else this.#apps.set(finding.app, known);
  }

  of(app: string): readonly OutOfService[] {
    return [...(this.#apps.get(app)?.values() ?? [])];
  }

  *all(): IterableIterator<OutOfService> {
    for (const known of this.#apps.values()) yield* known.values();
  }

  forget(app: string): void {
    this.#apps.delete(app);
  }
}
