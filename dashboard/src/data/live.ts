import { signal, type Signal } from "@preact/signals";
import type { ReleaseJson } from "../../../src/admin/release-schemas.ts";
import type { AppSummary, GatewayRow, ServerRow } from "../../../src/admin/schemas.ts";
import type { VerdictJson } from "../../../src/admin/verdict-schemas.ts";
import { appPath, call } from "./api.ts";
import { AppCell, type TrafficFrame } from "./app-cell.ts";

/** Requests at a time for releases that run. */
const AT_A_TIME = 4;
/** Apps whose last hour is kept. */
const MOST_FOLLOWED = 12;
/** Least time between two orders of all apps, in ms. */
const RANKING_EVERY = 1000;

/** Every app, by its name. */
export const cells: Map<string, AppCell> = new Map();
/** Changes when apps come or go. */
export const membership: Signal<number> = signal(0);
/** Changes once a second at most, when the order of the apps may be another one. */
export const ranking: Signal<number> = signal(0);
export const gateways: Signal<readonly GatewayRow[]> = signal([]);
/** When the gateways were heard of, in ms since the epoch. */
export const gatewaysAt: Signal<number> = signal(0);
/** Undefined: the apps were never read. */
export const readAt: Signal<number | undefined> = signal(undefined);

const dirty = new Set<AppCell>();
let picture: number | undefined;
let rankedAt = 0;
const followed: string[] = [];

/** All that is drawn of it is drawn anew with the next picture. */
function touch(cell: AppCell): void {
  dirty.add(cell);
  picture ??= requestAnimationFrame(() => {
    picture = undefined;
    for (const changed of dirty) changed.changed.value += 1;
    dirty.clear();
    const now = performance.now();
    if (now - rankedAt < RANKING_EVERY) return;
    rankedAt = now;
    ranking.value += 1;
  });
}

/** Reads everything anew; false: it was not answered. */
export async function readEverything(): Promise<boolean> {
  const [apps, fleet] = await Promise.all([readApps(), call<readonly GatewayRow[]>("/gateways")]);
  if (fleet.ok) takeGateways(fleet.value);
  return apps && fleet.ok;
}

/** Reads the apps in short, and those releases in full that are not over. */
export async function readApps(): Promise<boolean> {
  const answer = await call<readonly AppSummary[]>("/apps");
  if (!answer.ok) return false;
  const at = Date.now();
  const names = new Set(answer.value.map(({ name }) => name));
  let isOther = names.size !== cells.size;
  for (const summary of answer.value) {
    const known = cells.get(summary.name);
    if (known === undefined) {
      isOther = true;
      cells.set(summary.name, new AppCell(summary, at));
    } else {
      known.summary = summary;
      known.heardAt = at;
      touch(known);
    }
  }
  for (const name of cells.keys()) if (!names.has(name)) cells.delete(name);
  readAt.value = at;
  if (isOther) membership.value += 1;
  void readRunning();
  return true;
}

async function readRunning(): Promise<void> {
  const wanted = [...cells.values()].filter(({ summary, release }) => {
    const short = summary.release;
    return short !== null && !isOver(short.status) && release?.id !== short.id;
  });
  const work = async (): Promise<void> => {
    for (let cell = wanted.shift(); cell !== undefined; cell = wanted.shift())
      await readRelease(cell.summary.name);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}

export function isOver(status: ReleaseJson["status"]): boolean {
  return status === "done" || status === "rolledBack";
}

export async function readRelease(app: string): Promise<void> {
  const answer = await call<ReleaseJson>(appPath(app, "/release"));
  if (answer.ok) takeRelease(answer.value);
}

export async function readVerdict(app: string): Promise<void> {
  const answer = await call<VerdictJson>(appPath(app, "/verdict"));
  if (answer.ok) takeVerdict(answer.value);
}

export async function readServers(app: string): Promise<void> {
  const answer = await call<readonly ServerRow[]>(appPath(app, "/servers"));
  const cell = cells.get(app);
  if (!answer.ok || cell === undefined) return;
  cell.servers.clear();
  for (const row of answer.value) cell.servers.set(row.server, row);
  cell.heardAt = Date.now();
  touch(cell);
}

export function takeRelease(release: ReleaseJson): void {
  const cell = cells.get(release.app);
  if (cell === undefined) return;
  cell.takeRelease(release, Date.now());
  touch(cell);
}

export function takeVerdict(verdict: VerdictJson): void {
  const cell = cells.get(verdict.app);
  if (cell === undefined) return;
  cell.verdict = verdict;
  touch(cell);
}

export function takeTraffic(frame: TrafficFrame): void {
  const cell = cells.get(frame.app);
  if (cell === undefined) return;
  cell.takeTraffic(frame, Date.now());
  touch(cell);
}

export function takeServer({ app, ...row }: ServerRow & { readonly app: string }): void {
  const cell = cells.get(app);
  if (cell === undefined) return;
  cell.servers.set(row.server, row);
  touch(cell);
}

export function takeGateways(rows: readonly GatewayRow[]): void {
  gateways.value = rows;
  gatewaysAt.value = Date.now();
}

/** From now on its last hour is kept; of too many, the one looked at longest ago is not any more. */
export function follow(app: string): void {
  const cell = cells.get(app);
  if (cell === undefined) return;
  cell.frames ??= [];
  const place = followed.indexOf(app);
  if (place >= 0) followed.splice(place, 1);
  followed.push(app);
  if (followed.length <= MOST_FOLLOWED) return;
  const forgotten = cells.get(followed.shift() ?? "");
  if (forgotten !== undefined) forgotten.frames = undefined;
}

/** Nothing is kept of what another one was allowed to see. */
export function forgetEverything(): void {
  cells.clear();
  followed.length = 0;
  gateways.value = [];
  readAt.value = undefined;
  membership.value += 1;
}
