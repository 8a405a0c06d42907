import type { AppSummary } from "../../../src/admin/schemas.ts";
import type { ReleaseJson } from "../../../src/admin/release-schemas.ts";
import { duration, percent } from "./format.ts";
import { t } from "./translate.ts";

/** "25 % of the clients are on 2.0". */
export function shareInWords(share: number, version: string | undefined): string {
  return version === undefined
    ? t("share.plain", { share: percent(share) })
    : t("share.version", { share: percent(share), version });
}

/** What goes on with an app, in a few words. */
export function statusInWords({ release, deploy, groups }: AppSummary): string {
  if (release !== null && release.status !== "done" && release.status !== "rolledBack") {
    if (release.status === "rollingBack") return t("status.rollingBack");
    if (release.status === "paused") return t("status.paused");
    if (release.waitingFor === "continue") return t("status.waits", { phase: phaseInWords(release.phase) });
    return phaseInWords(release.phase);
  }
  if (deploy !== 0) return t("status.byHand", { group: groups[deploy - 1] ?? String(deploy) });
  return release === null ? t("status.quiet") : t(`status.${release.status as "done" | "rolledBack"}`);
}

export function phaseInWords(phase: ReleaseJson["phase"]): string {
  return t(`phase.${phase}`);
}

/** "group1: shifting, 25 %", for those who hear it and for headings. */
export function placeInWords({ status, phase, group, share }: ReleaseJson): string {
  if (group === null) return phaseInWords(phase);
  const percentage = phase === "shifting" ? `, ${percent(share)}` : "";
  const back = status === "rollingBack" ? `${t("status.rollingBack")}, ` : "";
  return `${back}${group}: ${phaseInWords(phase)}${percentage}`;
}

/** What it waits for; undefined: it is over. `left`: ms. */
export function waitInWords({ status, waitingFor }: ReleaseJson, left: number | null): string | undefined {
  if (status === "done" || status === "rolledBack") return undefined;
  if (waitingFor === null) return t(status === "paused" ? "wait.resume" : "wait.guard");
  const wait = t(`wait.${waitingFor}`);
  return left === null || waitingFor === "convergence"
    ? wait
    : t("wait.left", { wait, left: duration(left) });
}
