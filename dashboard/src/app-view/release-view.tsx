import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { FreezeJson, PastReleaseJson, ReleaseJson } from "../../../src/admin/release-schemas.ts";
import { appPath } from "../data/api.ts";
import { type AppCell, sumOf, worstP99 } from "../data/app-cell.ts";
import { now } from "../data/clock.ts";
import { connection } from "../data/feed.ts";
import { isOver, readRelease, readVerdict } from "../data/live.ts";
import { isOperator } from "../data/session.ts";
import { Age } from "../parts/age.tsx";
import { Halftone } from "../parts/halftone.tsx";
import { TestersRing } from "../parts/testers-ring.tsx";
import { useResource } from "../parts/use-resource.ts";
import { appHref } from "../route.ts";
import { clockTime, dateTime, milliseconds, number, percent } from "../text/format.ts";
import { placeInWords, shareInWords, waitInWords } from "../text/release-text.ts";
import { t } from "../text/translate.ts";
import { Charts } from "./charts.tsx";
import { Commands } from "./commands.tsx";
import { Course } from "./course.tsx";
import { Evidence } from "./evidence.tsx";

/** The release that runs, or ran last. */
export function ReleaseView({ cell }: { readonly cell: AppCell }): JSX.Element {
  cell.watch();
  const { name } = cell.summary;
  const view = cell.release;
  const id = cell.summary.release?.id;
  useEffect(() => {
    if (id !== undefined) {
      void readRelease(name);
      void readVerdict(name);
    }
  }, [name, id]);
  return (
    <>
      <div class="stage">
        <ShareCard cell={cell} />
        <section class="panel" aria-labelledby="way">
          {view === undefined ? (
            <NoRelease cell={cell} />
          ) : (
            <>
              <h2 id="way">
                {t("release.title", { version: view.version })}{" "}
                <span class={`badge status-${view.status}`}>{t(`state.${view.status}`)}</span>{" "}
                <Age at={cell.releaseAt} />
              </h2>
              <Now view={view} heardAt={cell.releaseAt} isJudged={cell.verdict?.release === view.id} />
              <Freeze freeze={cell.summary.freeze} />
              <Course view={view} />
              <Commands view={view} />
              {isOver(view.status) && <StartLink app={name} />}
            </>
          )}
        </section>
      </div>
      {view !== undefined && cell.verdict?.release === view.id && <Evidence verdict={cell.verdict} />}
      <Charts cell={cell} />
      {view !== undefined && <Log view={view} />}
      <Past app={name} current={id} />
    </>
  );
}

/** The field of the app's clients, and what is measured of them. */
function ShareCard({ cell }: { readonly cell: AppCell }): JSX.Element {
  cell.watch();
  const { summary, onNew, traffic, testersOnNew } = cell;
  const version = summary.release?.version;
  const p99 = worstP99(traffic);
  const failures = sumOf(traffic, "failuresPerSecond");
  return (
    <section class="panel share-card" aria-labelledby="share">
      <h2 id="share">{t("share.title")}</h2>
      <div class="share-field">
        <Halftone
          app={summary.name}
          draw={summary.release?.id ?? ""}
          share={onNew}
          columns={10}
          label={shareInWords(onNew, version)}
        />
        <TestersRing isOnNew={testersOnNew} />
      </div>
      <p class="share-words">
        <span class="n">{percent(onNew)}</span>{" "}
        {version === undefined ? t("unit.new") : t("share.on", { version })}
      </p>
      <p class="quiet">{t(testersOnNew ? "testers.onNew" : "testers.onOld")}</p>
      <dl class="numbers">
        <div>
          <dt>{t("unit.perSecond")}</dt>
          <dd class="n">{number(sumOf(traffic, "perSecond"))}</dd>
        </div>
        <div class={failures > 0 ? "bad" : ""}>
          <dt>{t("unit.errors")}</dt>
          <dd class="n">{number(failures)}</dd>
        </div>
        <div>
          <dt>p99</dt>
          <dd class="n">{p99 === undefined ? "–" : milliseconds(p99)}</dd>
        </div>
        <div>
          <dt>{t("unit.inFlight")}</dt>
          <dd class="n">{number(sumOf(traffic, "inFlight"))}</dd>
        </div>
      </dl>
      <Age at={cell.heardAt} />
    </section>
  );
}

function NoRelease({ cell }: { readonly cell: AppCell }): JSX.Element {
  cell.watch();
  const { name, deploy, groups, share, testing } = cell.summary;
  const group = groups[deploy - 1] ?? "";
  return (
    <>
      <h2 id="way">{t("release.none")}</h2>
      <p>
        {deploy === 0
          ? t("byHand.none")
          : t(testing ? "byHand.open" : "byHand.closed", { group, share: percent(share) })}
      </p>
      <StartLink app={name} />
    </>
  );
}

function StartLink({ app }: { readonly app: string }): JSX.Element {
  if (!isOperator.value) return <p class="quiet">{t("obstacle.role")}</p>;
  return (
    <p>
      <a class="button primary" href={appHref(app, "start")}>
        {t("start.title")}
      </a>
    </p>
  );
}

interface NowProps {
  readonly view: ReleaseJson;
  readonly heardAt: number;
  /** The evidence is shown by itself, as it is now. */
  readonly isJudged: boolean;
}

/** Where it is, what it waits for and why. */
function Now({ view, heardAt, isJudged }: NowProps): JSX.Element {
  // What the step began with would stand there as if it were fresh.
  const reason = view.waitingFor === "verdict" && isJudged ? null : view.reason;
  const stands = connection.value.kind === "lost" || view.status !== "running";
  const passed = stands ? 0 : Math.max(0, now.value - heardAt);
  const left = view.left === null ? null : Math.max(0, view.left - passed);
  const wait = waitInWords(view, left);
  return (
    <div class="now">
      <p class="place">{placeInWords(view)}</p>
      {wait !== undefined && <p class="wait n">{wait}</p>}
      {reason !== null && (
        <p class="reason" lang="en">
          {reason}
        </p>
      )}
    </div>
  );
}

function Freeze({ freeze }: { readonly freeze: FreezeJson | null }): JSX.Element | null {
  if (freeze === null) return null;
  const { until, by, reason } = freeze;
  return (
    <p class="notice warn">
      {until === null ? t("freeze.open", { by }) : t("freeze.until", { by, until: dateTime(until) })}{" "}
      <span lang="en">{reason}</span>
    </p>
  );
}

function Log({ view }: { readonly view: ReleaseJson }): JSX.Element {
  return (
    <section class="panel" aria-labelledby="log">
      <h2 id="log">{t("log.title")}</h2>
      <ol class="log">
        {view.log.toReversed().map(({ at, by, what }, index) => (
          <li key={view.log.length - index}>
            <time dateTime={at}>{clockTime(at)}</time> <span class="by">{by}</span>{" "}
            <span lang="en">{what}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

interface PastProps {
  readonly app: string;
  readonly current: string | undefined;
}

function Past({ app, current }: PastProps): JSX.Element | null {
  const { value = [] } = useResource<readonly PastReleaseJson[]>(appPath(app, "/releases"), current);
  const before = value.filter(({ id }) => id !== current);
  if (before.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="past">
      <h2 id="past">{t("past.title")}</h2>
      <ul class="past">
        {before.map(({ id, version, status, begunAt, by, reason }) => (
          <li key={id}>
            <span class={`badge status-${status}`}>{t(`state.${status}`)}</span> <strong>{version}</strong>{" "}
            <time dateTime={begunAt}>{dateTime(begunAt)}</time> {by}{" "}
            {reason !== null && <span lang="en">{reason}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
