import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { cells, follow, membership, readAt } from "../data/live.ts";
import { DocumentEditor } from "../document/editor.tsx";
import { Heading } from "../parts/heading.tsx";
import { APP_PARTS, type AppPart, appHref } from "../route.ts";
import { StartForm } from "../start/start-form.tsx";
import { t } from "../text/translate.ts";
import { AuditTrail } from "./audit.tsx";
import { Explain } from "./explain.tsx";
import { ReleaseView } from "./release-view.tsx";
import { Servers } from "./servers.tsx";

export interface AppViewProps {
  readonly app: string;
  readonly part: AppPart;
}

/** One app: its release, its servers, its document. */
export function AppView({ app, part }: AppViewProps): JSX.Element {
  void membership.value;
  const cell = cells.get(app);
  const isThere = cell !== undefined;
  useEffect(() => {
    if (isThere) follow(app);
  }, [app, isThere]);
  if (cell === undefined) {
    return (
      <>
        <Heading>{app}</Heading>
        <p class="empty">{readAt.value === undefined ? t("loading") : t("app.none", { app })}</p>
        <a href="#/">{t("nav.apps")}</a>
      </>
    );
  }
  return (
    <>
      <p class="crumbs">
        <a href="#/">{t("nav.apps")}</a>
      </p>
      <Heading key={app}>{app}</Heading>
      <nav class="tabs" aria-label={t("app.parts")}>
        {APP_PARTS.map((one) => (
          <a key={one} href={appHref(app, one)} aria-current={one === part ? "page" : undefined}>
            {t(`part.${one}`)}
          </a>
        ))}
      </nav>
      {part === "release" && <ReleaseView key={app} cell={cell} />}
      {part === "start" && <StartForm key={app} cell={cell} />}
      {part === "servers" && <Servers key={app} cell={cell} />}
      {part === "explain" && <Explain key={app} app={app} />}
      {part === "document" && <DocumentEditor key={app} app={app} />}
      {part === "audit" && <AuditTrail key={app} app={app} />}
    </>
  );
}
