import type { JSX } from "preact";
import type { AuditEntry } from "../../../src/admin/audit.ts";
import { lastChange } from "../data/feed.ts";
import { ProblemNotice } from "../parts/problem-notice.tsx";
import { useResource } from "../parts/use-resource.ts";
import { dateTime } from "../text/format.ts";
import { t } from "../text/translate.ts";

/** Who changed what of an app, the newest first. */
export function AuditTrail({ app }: { readonly app: string }): JSX.Element {
  const change = lastChange.value;
  const { value, problem } = useResource<readonly AuditEntry[]>(
    `/audit?limit=100&app=${encodeURIComponent(app)}`,
    change?.app === app ? change : undefined,
  );
  return (
    <section class="panel" aria-labelledby="audit">
      <h2 id="audit">{t("audit.title")}</h2>
      {problem !== undefined && <ProblemNotice problem={problem} />}
      <div class="scroll" role="group" aria-labelledby="audit" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {(["at", "by", "what", "revision"] as const).map((column) => (
                <th key={column} scope="col">
                  {t(`audit.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(value ?? []).map((entry) => (
              <tr
                key={`${entry.at}${entry.what}${entry.by}`}
                class={entry.refused === undefined ? "" : "refused"}
              >
                <td>
                  <time dateTime={entry.at}>{dateTime(entry.at)}</time>
                </td>
                <td>{entry.by}</td>
                <td lang="en">
                  {entry.what}
                  {entry.refused !== undefined && (
                    <small class="bad">
                      {t("audit.refused")} {entry.refused}
                    </small>
                  )}
                </td>
                <td class="n">{revisions(entry)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function revisions({ from, to }: AuditEntry): string {
  if (to === null) return from === null ? "–" : String(from);
  return from === null ? String(to) : `${from} → ${to}`;
}
