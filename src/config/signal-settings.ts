import path from "node:path";
import type * as z from "zod";

import { DURATION_EXPECTED, parseDuration } from "./duration.ts";
import { NAME, NAME_EXPECTED } from "./names.ts";
import { checkedText, closedObject, filePath, httpUrl, listOf } from "./schema-fields.ts";
import { isSideQuery, SIDE_QUERY_EXPECTED } from "./side-query.ts";

/** A signal of `halftone.yaml`, checked: where counts come from that the gateway does not see. Paths are absolute. */
export interface SignalSource {
  /** Never that of a signal the gateway counts itself. */
  readonly name: string;
  /** What the bad ones are called, in the plural. Default: the name. */
  readonly what: string;
  /** Milliseconds for an answer. Default 3 s. */
  readonly timeout: number;
  readonly from:
    | {
        readonly kind: "prometheus";
        /** Where its API is, without `/api/v1/query`. */
        readonly url: string;
        /** PromQL with `$servers` or `$groups`: what has happened on a side, and what of it was bad, since whenever. */
        readonly total: string;
        readonly bad: string;
        /** File with the value of `Authorization`, read for each question. Absent: none is sent. */
        readonly authorizationFile?: string;
      }
    | {
        readonly kind: "webhook";
        readonly url: string;
        /** File with the secret that signs what is posted, read for each question. Absent: nothing is signed. */
        readonly secretFile?: string;
      };
}

const THREE_SECONDS = 3000;
/** As long as a window: what comes later belongs to another. */
const LONGEST_TIMEOUT = 10_000;

/** The gateway's own signals, and what records by name answer to without holding it. */
const isTaken = (name: string): boolean =>
  ["errors", "latency", "slow50", "slow90", "slow99"].includes(name) || name in {};

const signalName = checkedText((name) => NAME.test(name), NAME_EXPECTED).refine((name) => !isTaken(name), {
  error: "another name: errors, latency, slow50, slow90, slow99 and words like constructor are taken",
});

const plainWords = checkedText(
  (text) => /^[^\p{C}]{1,60}$/u.test(text) && text.trim() === text,
  'what the bad ones are called, like "failed orders", in 1 to 60 characters',
);

const query = checkedText(isSideQuery, SIDE_QUERY_EXPECTED);

const timeout = checkedText((text) => {
  const milliseconds = parseDuration(text) ?? 0;
  return milliseconds > 0 && milliseconds <= LONGEST_TIMEOUT;
}, `${DURATION_EXPECTED}, above zero and up to 10s`);

interface WrittenSignal {
  readonly name: string;
  readonly prometheus?: string;
  readonly total?: string;
  readonly bad?: string;
  readonly authorizationFile?: string;
  readonly webhook?: string;
  readonly secretFile?: string;
  readonly what?: string;
  readonly timeout?: string;
}

const SOURCE_EXPECTED = "either prometheus, with total and bad, or a webhook";
/** Keys of the other kind. */
const UNFIT = {
  prometheus: ["webhook", "secretFile"],
  webhook: ["total", "bad", "authorizationFile"],
} as const;

const signalSchema: z.ZodType<WrittenSignal> = closedObject(
  {
    name: signalName,
    prometheus: httpUrl().exactOptional(),
    total: query.exactOptional(),
    bad: query.exactOptional(),
    authorizationFile: filePath().exactOptional(),
    webhook: httpUrl().exactOptional(),
    secretFile: filePath().exactOptional(),
    what: plainWords.exactOptional(),
    timeout: timeout.exactOptional(),
  },
  "a signal, {name, prometheus, total, bad, authorizationFile, what, timeout} or {name, webhook, secretFile, what, timeout}",
).superRefine((signal, context) => {
  const report = (path: (keyof WrittenSignal)[], message: string): void => {
    context.addIssue({ code: "custom", path, message });
  };
  const kind = signal.prometheus === undefined ? "webhook" : "prometheus";
  if (signal[kind] === undefined) report([], SOURCE_EXPECTED);
  for (const key of UNFIT[kind]) {
    if (signal[key] !== undefined) report([key], `no ${key} beside ${kind}: ${SOURCE_EXPECTED}`);
  }
  if (kind === "webhook") return;
  for (const key of ["total", "bad"] as const) {
    if (signal[key] === undefined) report([key], SIDE_QUERY_EXPECTED);
  }
});

export const signalsSchema: z.ZodType<readonly WrittenSignal[]> = listOf(
  signalSchema,
  "signals, {name, prometheus, total, bad} or {name, webhook}",
).superRefine((signals, context) => {
  for (const [index, { name }] of signals.entries()) {
    if (signals.findIndex((signal) => signal.name === name) === index) continue;
    context.addIssue({ code: "custom", path: [index, "name"], message: "another name for each signal" });
  }
});

/** `baseFolder`: where relative paths start. */
export function signalSources(
  written: readonly WrittenSignal[],
  baseFolder: string,
): readonly SignalSource[] {
  return written.map((signal) => ({
    name: signal.name,
    what: signal.what ?? signal.name,
    timeout: signal.timeout === undefined ? THREE_SECONDS : parseDuration(signal.timeout)!,
    from: sourceOf(signal, baseFolder),
  }));
}

function sourceOf(
  { prometheus, total, bad, authorizationFile, webhook, secretFile }: WrittenSignal,
  baseFolder: string,
): SignalSource["from"] {
  if (prometheus === undefined) {
    return {
      kind: "webhook",
      url: webhook!,
      ...(secretFile !== undefined && { secretFile: path.resolve(baseFolder, secretFile) }),
    };
  }
  return {
    kind: "prometheus",
    url: prometheus,
    total: total!,
    bad: bad!,
    ...(authorizationFile !== undefined && {
      authorizationFile: path.resolve(baseFolder, authorizationFile),
    }),
  };
}
