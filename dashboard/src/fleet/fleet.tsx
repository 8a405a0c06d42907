import type { JSX } from "preact";
import type { GatewayRow } from "../../../src/admin/schemas.ts";
import { now } from "../data/clock.ts";
import { gateways, gatewaysAt } from "../data/live.ts";
import { Age } from "../parts/age.tsx";
import { Heading } from "../parts/heading.tsx";
import { dateTime, duration, number } from "../text/format.ts";
import { t } from "../text/translate.ts";

/** Every gateway of the directory. */
export function Fleet(): JSX.Element {
  const rows = gateways.value;
  const versions = new Set(rows.map(({ version }) => version));
  return (
    <>
      <Heading>{t("fleet.title")}</Heading>
      <p class="quiet">
        {t("fleet.summary", {
          live: rows.filter(({ live }) => live).length,
          all: rows.length,
          flight: rows.reduce((sum, { inFlight }) => sum + inFlight, 0),
        })}{" "}
        <Age at={gatewaysAt.value} />
      </p>
      {versions.size > 1 && (
        <p class="notice warn">{t("fleet.versions", { versions: [...versions].join(", ") })}</p>
      )}
      <ul class="gateways">
        {rows.map((row) => (
          <li key={row.name + row.startedAt}>
            <Gateway row={row} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Gateway({ row }: { readonly row: GatewayRow }): JSX.Element {
  const {
    name,
    self,
    live,
    ready,
    version,
    startedAt,
    seen,
    listen,
    admin,
    directory,
    apps,
    inFlight,
    lag,
    late,
  } = row;
  const state = !live ? "gone" : ready ? "ready" : "notReady";
  return (
    <article class={`card gateway ${state}`}>
      <header>
        <h2>{name}</h2>
        <span class={`badge gateway-${state}`}>{t(`gateway.${state}`)}</span>
        {self && <span class="badge">{t("gateway.self")}</span>}
      </header>
      <dl class="numbers">
        <div>
          <dt>{t("gateway.lag")}</dt>
          <dd class={`n ${lag > 0 ? "bad" : ""}`}>{number(lag)}</dd>
        </div>
        <div>
          <dt>{t("gateway.apps")}</dt>
          <dd class="n">{number(apps)}</dd>
        </div>
        <div>
          <dt>{t("unit.inFlight")}</dt>
          <dd class="n">{number(inFlight)}</dd>
        </div>
        <div>
          <dt>{t("gateway.version")}</dt>
          <dd>{version}</dd>
        </div>
      </dl>
      <dl class="facts">
        <dt>{t("gateway.listen")}</dt>
        <dd>
          <code>{listen.join(", ")}</code>
        </dd>
        <dt>{t("gateway.admin")}</dt>
        <dd>
          <code>{admin}</code>
        </dd>
        <dt>{t("gateway.directory")}</dt>
        <dd class={directory === "backup" ? "bad" : ""}>{t(`gateway.directory.${directory}`)}</dd>
        <dt>{t("gateway.started")}</dt>
        <dd>{dateTime(startedAt)}</dd>
        {!live && (
          <>
            <dt>{t("gateway.seen")}</dt>
            <dd class="n">{t("ago", { age: duration(now.value - Date.parse(seen)) })}</dd>
          </>
        )}
      </dl>
      {late.length > 0 && (
        <ul class="late">
          {late.map(({ app, revision, here }) => (
            <li key={app}>{t("gateway.late", { app, revision: revision ?? "–", here: here ?? "–" })}</li>
          ))}
        </ul>
      )}
    </article>
  );
}
