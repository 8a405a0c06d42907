import type { JSX } from "preact";
import { now } from "../data/clock.ts";
import { connection } from "../data/feed.ts";
import { duration } from "../text/format.ts";
import { t } from "../text/translate.ts";

/** While the connection is lost: how old the numbers beside it are. `at`: ms since the epoch. */
export function Age({ at }: { readonly at: number }): JSX.Element | null {
  if (connection.value.kind !== "lost") return null;
  return <span class="age">{t("age", { age: duration(now.value - at) })}</span>;
}
