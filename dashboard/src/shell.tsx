import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import { AppView } from "./app-view/app-view.tsx";
import { connection, reconnectNow } from "./data/feed.ts";
import { now } from "./data/clock.ts";
import { readAt } from "./data/live.ts";
import type { SessionState } from "../../src/admin/schemas.ts";
import { logOut, session } from "./data/session.ts";
import { Fleet } from "./fleet/fleet.tsx";
import { DemoBar } from "./demo/demo-bar.tsx";
import { Glance } from "./glance/glance.tsx";
import { Login } from "./login/login.tsx";
import { Announcer } from "./parts/announcer.tsx";
import { Heading } from "./parts/heading.tsx";
import { language, theme, type Theme } from "./preferences.ts";
import { route } from "./route.ts";
import { clockTime, duration } from "./text/format.ts";
import { t } from "./text/translate.ts";

/** Ms for which it is said that the connection is back. */
const BACK = 5000;

/** The page: who one is, where one is, and whether what is shown is fresh. */
export function Shell(): JSX.Element {
  const { value: known } = session;
  useEffect(() => {
    document.documentElement.dataset["connection"] = connection.value.kind;
  }, [connection.value.kind]);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The part after "#" is the route.
          event.preventDefault();
          document.querySelector<HTMLElement>("#main")?.focus();
        }}
      >
        {t("skip")}
      </a>
      <header class="top">
        <a class="logo" href="#/">
          <Mark />
          <span>Halftone</span>
        </a>
        {known.kind === "in" && <Places />}
        <Switches />
        {known.kind === "in" && <Me who={known.who} />}
      </header>
      {known.kind === "in" && <ConnectionBar />}
      {known.kind === "in" && known.who.more?.includes("getDemo") === true && <DemoBar />}
      <main id="main" tabIndex={-1}>
        {known.kind === "in" ? <View /> : known.kind === "out" ? <Login ended={known.ended} /> : <Waiting />}
      </main>
      {known.kind === "in" && <Announcer />}
    </>
  );
}

function View(): JSX.Element {
  const { value: place } = route;
  if (readAt.value === undefined) return <p class="empty">{t("loading")}</p>;
  switch (place.view) {
    case "glance":
      return <Glance />;
    case "fleet":
      return <Fleet />;
    case "app":
      return <AppView app={place.app} part={place.part} />;
    case "unknown":
      return (
        <>
          <Heading>{t("unknown.title")}</Heading>
          <a href="#/">{t("nav.apps")}</a>
        </>
      );
  }
}

/** Before anybody has answered who one is. */
function Waiting(): JSX.Element {
  return (
    <p class="empty" role="status">
      {t("loading")}
    </p>
  );
}

function Places(): JSX.Element {
  const { view } = route.value;
  return (
    <nav class="places" aria-label={t("nav")}>
      <a href="#/" aria-current={view === "glance" ? "page" : undefined}>
        {t("nav.apps")}
      </a>
      <a href="#/fleet" aria-current={view === "fleet" ? "page" : undefined}>
        {t("nav.fleet")}
      </a>
    </nav>
  );
}

function Switches(): JSX.Element {
  return (
    <div class="switches">
      <label>
        <span class="spoken">{t("theme")}</span>
        <select
          value={theme.value}
          onChange={({ currentTarget }) => (theme.value = currentTarget.value as Theme)}
        >
          {(["auto", "light", "dark"] as const).map((one) => (
            <option key={one} value={one}>
              {t(`theme.${one}`)}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="small"
        lang={language.value === "en" ? "zh-Hans" : "en"}
        onClick={() => (language.value = language.value === "en" ? "zh" : "en")}
      >
        {language.value === "en" ? "中文" : "English"}
      </button>
    </div>
  );
}

function Me({ who }: { readonly who: SessionState }): JSX.Element {
  return (
    <div class="me">
      <span>
        {who.name} <small>{t(`role.${who.role}`)}</small>
      </span>
      <button type="button" class="small" onClick={() => void logOut()}>
        {t("logout")}
      </button>
    </div>
  );
}

/** Nothing while all is well; else since when nothing was heard, so that no old number passes for a fresh one. */
function ConnectionBar(): JSX.Element {
  const { value: state } = connection;
  const isBack = state.kind === "live" && state.back !== undefined && now.value - state.back < BACK;
  return (
    <div class={`connection ${state.kind} ${isBack ? "back" : ""}`}>
      <div role="alert">
        {state.kind === "lost" && t("connection.lost", { time: clockTime(state.since) })}
        {isBack && t("connection.back")}
      </div>
      {state.kind === "lost" && (
        <>
          <span class="n-age">{t("age", { age: duration(now.value - state.since) })}</span>
          <button type="button" class="small" onClick={reconnectNow}>
            {t("connection.again")}
          </button>
        </>
      )}
    </div>
  );
}

function Mark(): JSX.Element {
  const RADII = [3.4, 2.7, 1.9, 2.7, 1.9, 1.2, 1.9, 1.2, 0.7];
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      {RADII.map((radius, dot) => (
        <circle key={dot} cx={4 + (dot % 3) * 8} cy={4 + Math.floor(dot / 3) * 8} r={radius} />
      ))}
    </svg>
  );
}
