import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import type { AppDocument, TesterDocument } from "../../../src/config/app-document.ts";
import type { ServerRow } from "../../../src/admin/schemas.ts";
import { type ApiProblem, appPath, call } from "../data/api.ts";
import type { AppCell } from "../data/app-cell.ts";
import { connection, lastChange } from "../data/feed.ts";
import { readServers } from "../data/live.ts";
import { isOperator } from "../data/session.ts";
import { Age } from "../parts/age.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { ProblemNotice } from "../parts/problem-notice.tsx";
import { useResource } from "../parts/use-resource.ts";
import { clockTime, number } from "../text/format.ts";
import { t } from "../text/translate.ts";

/** Between two readings of the counters, in ms: events tell of states only. */
const COUNTERS_EVERY = 2000;

/** Groups with their servers, and who is a tester. */
export function Servers({ cell }: { readonly cell: AppCell }): JSX.Element {
  cell.watch();
  const { name, groups, deploy } = cell.summary;
  const asked = useSignal<ServerRow | undefined>(undefined);
  useEffect(() => {
    void readServers(name);
    const timer = setInterval(() => {
      if (connection.value.kind === "live" && !document.hidden) void readServers(name);
    }, COUNTERS_EVERY);
    return () => clearInterval(timer);
  }, [name]);
  const rows = [...cell.servers.values()];
  return (
    <>
      {groups.map((group, index) => (
        <GroupTable
          key={group}
          cell={cell}
          group={group}
          isUnderTest={index + 1 === deploy}
          rows={rows.filter((row) => row.group === group)}
          onAsk={(row) => (asked.value = row)}
        />
      ))}
      <Testers app={name} />
      {asked.value !== undefined && (
        <QuarantineDialog app={name} row={asked.value} onClose={() => (asked.value = undefined)} />
      )}
    </>
  );
}

interface GroupTableProps {
  readonly cell: AppCell;
  readonly group: string;
  readonly isUnderTest: boolean;
  readonly rows: readonly ServerRow[];
  readonly onAsk: (row: ServerRow) => void;
}

function GroupTable({ cell, group, isUnderTest, rows, onAsk }: GroupTableProps): JSX.Element {
  cell.watch();
  const traffic = cell.traffic?.groups.find((row) => row.group === group);
  const view = cell.release?.groups.find((one) => one.name === group);
  const id = `group-${group}`;
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>
        {group} {isUnderTest && <span class="badge running">{t("group.underTest")}</span>}{" "}
        <Age at={cell.heardAt} />
      </h2>
      <p class="quiet">
        {view !== undefined && `${t(`condition.${view.condition}`)}, ${t(`serves.${view.serves}`)} · `}
        <span class="n">
          {t("group.traffic", { rate: number(traffic?.perSecond ?? 0), flight: traffic?.inFlight ?? 0 })}
        </span>
      </p>
      <div class="scroll" role="group" aria-labelledby={id} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {(["server", "state", "weight", "inFlight", "requests", "failures", "lastError"] as const).map(
                (column) => (
                  <th key={column} scope="col" class={NUMERIC.has(column) ? "right" : ""}>
                    {t(`server.${column}`)}
                  </th>
                ),
              )}
              <th scope="col">
                <span class="spoken">{t("server.action")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <ServerLine key={row.server} row={row} onAsk={onAsk} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const NUMERIC: ReadonlySet<string> = new Set(["weight", "inFlight", "requests", "failures"]);

function ServerLine({
  row,
  onAsk,
}: {
  readonly row: ServerRow;
  readonly onAsk: (row: ServerRow) => void;
}): JSX.Element {
  const { server, state, weight, inFlight, requests, failures, deadUntil, healthy, lastError } = row;
  return (
    <tr class={state}>
      <th scope="row">
        <code>{server}</code>
      </th>
      <td>
        <span class={`badge server-${state}`}>{t(`server.state.${state}`)}</span>
        {deadUntil !== null && <small>{t("server.deadUntil", { time: clockTime(deadUntil) })}</small>}
        {!healthy && <small>{t("server.unhealthy")}</small>}
      </td>
      <td class="right n">{number(weight)}</td>
      <td class="right n">{number(inFlight)}</td>
      <td class="right n">{number(requests)}</td>
      <td class={`right n ${failures > 0 ? "bad" : ""}`}>{number(failures)}</td>
      <td lang="en">{lastError ?? "–"}</td>
      <td>
        <button
          type="button"
          class="small"
          disabled={!isOperator.value || connection.value.kind === "lost"}
          title={isOperator.value ? undefined : t("obstacle.role")}
          onClick={() => onAsk(row)}
          aria-label={t(state === "quarantined" ? "quarantine.lift.of" : "quarantine.put.of", { server })}
        >
          {t(state === "quarantined" ? "quarantine.lift" : "quarantine.put")}
        </button>
      </td>
    </tr>
  );
}

interface QuarantineDialogProps {
  readonly app: string;
  readonly row: ServerRow;
  readonly onClose: () => void;
}

function QuarantineDialog({ app, row, onClose }: QuarantineDialogProps): JSX.Element {
  const problem = useSignal<ApiProblem | undefined>(undefined);
  const isIn = row.state === "quarantined";
  const send = async (): Promise<void> => {
    const path = appPath(app, `/quarantine/${encodeURIComponent(row.server)}`);
    const answer = await call(path, { method: isIn ? "DELETE" : "PUT" });
    if (!answer.ok) {
      problem.value = answer.problem;
      return;
    }
    await readServers(app);
    onClose();
  };
  const { server } = row;
  return (
    <Dialog title={t(isIn ? "quarantine.lift.of" : "quarantine.put.of", { server })} onClose={onClose}>
      <p>{t(isIn ? "quarantine.lift.what" : "quarantine.put.what")}</p>
      {problem.value !== undefined && <ProblemNotice problem={problem.value} />}
      <div class="buttons">
        <button type="button" class="primary" onClick={() => void send()}>
          {t(isIn ? "quarantine.lift" : "quarantine.put")}
        </button>
        <button type="button" onClick={onClose}>
          {t("cancel")}
        </button>
      </div>
    </Dialog>
  );
}

function Testers({ app }: { readonly app: string }): JSX.Element {
  const change = lastChange.value;
  const { value } = useResource<AppDocument>(appPath(app), change?.app === app ? change : undefined);
  const testers = value?.testers ?? [];
  return (
    <section class="panel" aria-labelledby="testers">
      <h2 id="testers">{t("testers.title")}</h2>
      {testers.length === 0 ? (
        <p class="quiet">{t("testers.nobody")}</p>
      ) : (
        <ul class="testers">
          {testers.map((tester) => (
            <li key={JSON.stringify(tester)}>{testerInWords(tester)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function testerInWords(tester: TesterDocument): string {
  if (typeof tester === "string")
    return t(tester.includes("/") ? "tester.range" : "tester.address", { address: tester });
  const { equals } = tester;
  if ("header" in tester) return t("tester.header", { name: tester.header, equals });
  if ("cookie" in tester) return t("tester.cookie", { name: tester.cookie, equals });
  return t("tester.certificate", { name: tester.certificate, equals });
}
