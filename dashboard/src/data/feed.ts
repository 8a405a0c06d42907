import { signal, type Signal } from "@preact/signals";
import type { AppEvent, EventData } from "../../../src/admin/events/event-types.ts";
import { findSession, session } from "./session.ts";
import {
  cells,
  readApps,
  readEverything,
  takeGateways,
  takeRelease,
  takeServer,
  takeTraffic,
  takeVerdict,
} from "./live.ts";

export type Connection =
  | { readonly kind: "connecting" }
  /** `back`: ms since the epoch when it came back; undefined: it was never lost. */
  | { readonly kind: "live"; readonly back: number | undefined }
  /** `since`: when anything was heard last, in ms since the epoch. */
  | { readonly kind: "lost"; readonly since: number };

/** Silence after which it is asked whether anybody is there, in ms. Events alone say nothing of a cable that was pulled. */
const SILENCE = 8000;
const ANSWER_WITHIN = 4000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
/** Least time between two readings of all apps, in ms. */
const READ_EVERY = 1000;

export const connection: Signal<Connection> = signal({ kind: "connecting" });
/** The last change of an app's document. */
export const lastChange: Signal<AppEvent | undefined> = signal(undefined);

let source: EventSource | undefined;
let heardAt = 0;
let askedAt = 0;
let pause = FIRST_PAUSE;
let retry: number | undefined;
let reading: number | undefined;
let lastEventId = "";

/** Follows the events of the gateway as long as one is logged in. */
export function startFeed(): void {
  session.subscribe(({ kind }) => {
    if (kind === "in" && source === undefined) open();
    if (kind === "out") close();
  });
  setInterval(() => void listenForLife(), 1000);
  addEventListener("offline", () => lose());
  addEventListener("online", () => reconnectNow());
}

/** Does not wait for the pause to be over. */
export function reconnectNow(): void {
  if (session.value.kind !== "in" || connection.value.kind === "live") return;
  close();
  pause = FIRST_PAUSE;
  open();
}

function open(): void {
  const resumed = lastEventId === "" ? "" : `?lastEventId=${encodeURIComponent(lastEventId)}`;
  const opened = new EventSource(`/api/v1/events${resumed}`);
  source = opened;
  opened.addEventListener("open", () => void (opened === source && welcome()));
  opened.addEventListener("error", () => {
    if (opened !== source) return;
    lose();
    again();
  });
  on(opened, "app", (change) => {
    lastChange.value = change;
    readSoon();
  });
  on(opened, "release", takeRelease);
  on(opened, "server", takeServer);
  on(opened, "gateway", takeGateways);
  on(opened, "traffic", takeTraffic);
  on(opened, "verdict", takeVerdict);
  on(opened, "reset", () => void readEverything());
}

interface Told extends EventData {
  /** Some events were missed: everything is to be read anew. */
  readonly reset: unknown;
}

function on<T extends keyof Told>(from: EventSource, type: T, take: (data: Told[T]) => void): void {
  from.addEventListener(type, (event: MessageEvent<string>) => {
    if (from !== source) return;
    heardAt = Date.now();
    if (event.lastEventId !== "") lastEventId = event.lastEventId;
    take(JSON.parse(event.data) as Told[T]);
  });
}

function close(): void {
  source?.close();
  source = undefined;
  clearTimeout(retry);
  retry = undefined;
}

function lose(): void {
  if (connection.value.kind === "lost") return;
  connection.value = { kind: "lost", since: heardAt === 0 ? Date.now() : heardAt };
}

/** The browser's own attempts end with the first answer that is no stream, so they are replaced by these. */
function again(): void {
  close();
  retry = window.setTimeout(() => {
    retry = undefined;
    void findSession().then((isAnswered) => {
      if (session.value.kind !== "in" || source !== undefined) return;
      if (isAnswered) open();
      else again();
    });
  }, pause);
  pause = Math.min(pause * 2, LONGEST_PAUSE);
}

/** Only what was read after the stream began is fresh: nothing falls between the two. */
async function welcome(): Promise<void> {
  heardAt = Date.now();
  pause = FIRST_PAUSE;
  const wasLost = connection.value.kind === "lost";
  const opened = source;
  if (!(await readEverything())) {
    if (opened !== source || opened === undefined) return;
    lose();
    again();
    return;
  }
  connection.value = { kind: "live", back: wasLost ? Date.now() : undefined };
}

async function listenForLife(): Promise<void> {
  if (
    source === undefined ||
    connection.value.kind !== "live" ||
    Date.now() - Math.max(heardAt, askedAt) < SILENCE
  )
    return;
  askedAt = Date.now();
  const before = source;
  const isAnswered = await Promise.race([
    findSession(),
    new Promise<false>((resolve) => setTimeout(() => resolve(false), ANSWER_WITHIN)),
  ]);
  if (source !== before) return;
  if (isAnswered) {
    heardAt = Date.now();
    return;
  }
  lose();
  again();
}

/** Many changes at once cost one reading. */
function readSoon(): void {
  if (reading !== undefined) return;
  reading = window.setTimeout(
    () => {
      reading = undefined;
      void readApps();
    },
    cells.size > 100 ? 3 * READ_EVERY : READ_EVERY / 4,
  );
}
