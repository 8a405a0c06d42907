import { render } from "preact";
import { startClock } from "./data/clock.ts";
import { connection, startFeed } from "./data/feed.ts";
import { forgetEverything } from "./data/live.ts";
import { findSession, session } from "./data/session.ts";
import { followPreferences } from "./preferences.ts";
import { followAddress } from "./route.ts";
import { Shell } from "./shell.tsx";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/glance.css";
import "./styles/app-view.css";
import "./styles/forms.css";

/** Between two attempts to find out who one is, in ms. */
const AGAIN = 2000;

followPreferences();
followAddress();
startClock();
startFeed();
session.subscribe(({ kind }) => {
  if (kind !== "out") return;
  forgetEverything();
  connection.value = { kind: "connecting" };
});
render(<Shell />, document.querySelector("#page")!);
void enter();

async function enter(): Promise<void> {
  while (!(await findSession())) await new Promise((resolve) => setTimeout(resolve, AGAIN));
}
