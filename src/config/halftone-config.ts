import { createHash } from "node:crypto";
import { hostname } from "node:os";
import path from "node:path";
import * as z from "zod";

import { canonicalAddress, isAddressOrRange } from "./address-set.ts";
import { readDocumentText } from "./document-text.ts";
import { DURATION_EXPECTED, parseDuration } from "./duration.ts";
import { type Finding, problemsOf } from "./finding.ts";
import { accessLogSchema, accessLogSettings } from "./access-log-schema.ts";
import type { GatewaySettings, ListenAddress, ListenSettings } from "./gateway-settings.ts";
import {
  type HookSettings,
  hookSettings,
  hooksSchema,
  notifyListSchema,
  type NotifySettings,
  notifySettings,
} from "./hook-settings.ts";
import { LISTEN_EXPECTED, parseListenAddress } from "./listen-address.ts";
import { plainCopy } from "./plain-data.ts";
import type { Parsed, Problem } from "./problem.ts";
import { findingsOf } from "./schema-findings.ts";
import {
  checkedText,
  closedObject,
  flag,
  listOf,
  nonEmptyListOf,
  patternText,
  wholeNumber,
} from "./schema-fields.ts";
import { parseRedisUrl, REDIS_EXPECTED, type RedisTarget } from "./redis-target.ts";
import { type SignalSource, signalSources, signalsSchema } from "./signal-settings.ts";
import { isHostName } from "./server-address.ts";
import { parseSize, SIZE_EXPECTED } from "./size.ts";
import { tracesSchema, tracesSettings, type WrittenTraces } from "./traces-schema.ts";
import {
  listenTls,
  listenTlsSchema,
  serverTlsByName,
  serverTlsSchema,
  type WrittenListenTls,
  type WrittenServerTls,
} from "./tls-schema.ts";

/** `halftone.yaml`, checked: defaults filled in, paths absolute, durations in ms, sizes in bytes. */
export interface HalftoneConfig {
  readonly gateway: GatewaySettings;
  /** Processes that carry traffic; "auto" (default): as many as the cores allow; 0: everything in one process. */
  readonly workers: number | "auto";
  readonly admin: AdminConfig;
  /** What this gateway is called among those of its directory. Default: the host's name and a mark of the data folder. */
  readonly name: string;
  /** Folder of what must outlive a restart: token, audit, backup. Default "./data". */
  readonly data: string;
  /** Where app documents live. Default: files in the data folder. */
  readonly directory: DirectoryConfig;
  /** File with the directory's last known content. Default "backup.json" in the data folder. */
  readonly backup: string;
  /** Globs of app documents put into the directory at start if it does not hold them. Default: none. */
  readonly apps: readonly string[];
  /** What releases may run, by name; the API can only name them. Default: none. */
  readonly hooks: readonly HookSettings[];
  /** Who is told of releases. Default: nobody. */
  readonly notify: readonly NotifySettings[];
  /** Where verdicts get counts that the gateway does not see; the API can only name them. Default: none. */
  readonly signals: readonly SignalSource[];
}

export interface AdminConfig {
  /** Default 127.0.0.1:9090. */
  readonly listen: ListenAddress;
  /** Bearer token of the admin API. Absent: one is made at first start and kept in the data folder. */
  readonly token?: string;
  /** Names and addresses by which it may be called besides its own and localhost, without port. Default: none. */
  readonly hosts: readonly string[];
}

export type DirectoryConfig =
  | { readonly kind: "memory" }
  | { readonly kind: "file"; readonly folder: string }
  | ({ readonly kind: "redis" } & RedisConfig);

/** How a Redis is reached; paths are absolute. */
export interface RedisConfig {
  readonly target: RedisTarget;
  /** File with the password, in place of one in the URL. */
  readonly passwordFile?: string;
  /** PEM files: who is trusted to sign the server's certificate (default: the system's authorities), and our own one. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * The configuration in the text of a `halftone.yaml`; an empty one has all the defaults. Problems of the YAML itself
 * have line and column in their path, all others the path of the field.
 *
 * `baseFolder`: absolute; relative paths in the text start there.
 */
export function parseHalftoneConfig(text: string, baseFolder: string): Parsed<HalftoneConfig> {
  const read = readDocumentText(isBlank(text) ? "{}" : text);
  if (!read.ok) return read;
  const unfit: Finding[] = [];
  const input = plainCopy(read.value, unfit);
  if (unfit.length > 0) return { ok: false, problems: problemsOf(unfit, read.value) };
  const checked = configSchema.safeParse(input);
  if (!checked.success) {
    const problems = problemsOf(findingsOf(checked.error.issues), input);
    return { ok: false, problems: problems.map(withoutSecrets) };
  }
  const { gateway = {}, serverTls, traces, admin = {}, apps = [], ...written } = checked.data;
  const { workers = "auto", ...settings } = gateway;
  const data = path.resolve(baseFolder, written.data ?? "data");
  const directory = written.directory ?? { kind: "file", folder: data };
  return {
    ok: true,
    value: {
      gateway: gatewaySettings(settings, { data, baseFolder, serverTls, traces }),
      workers,
      admin: {
        listen: admin.listen ?? { kind: "tcp", host: "127.0.0.1", port: 9090 },
        ...(admin.token !== undefined && { token: admin.token }),
        hosts: admin.hosts ?? [],
      },
      name: written.name ?? ownName(data),
      data,
      directory: absoluteDirectory(directory, baseFolder),
      backup:
        written.backup === undefined
          ? path.join(data, "backup.json")
          : path.resolve(baseFolder, written.backup),
      apps: apps.map((glob) => absoluteGlob(baseFolder, glob)),
      hooks: hookSettings(written.hooks ?? {}, baseFolder),
      notify: notifySettings(written.notify ?? [], baseFolder),
      signals: signalSources(written.signals ?? [], baseFolder),
    },
  };
}

/** Problems are printed and logged: they show no token, no password of a URL, and nothing of URLs that are secrets. */
function withoutSecrets(problem: Problem): Problem {
  if (/^(?:admin\.token|traces\.headers)\b/.test(problem.path))
    return { ...problem, found: "another text (not shown)" };
  if (/^(?:hooks|notify|signals)\b/.test(problem.path)) {
    return { ...problem, found: problem.found.replace(/:\/\/[^"\s]*/g, "://…") };
  }
  return { ...problem, found: problem.found.replace(/\/\/.*@/, "//…@") };
}

function gatewaySettings(
  written: z.infer<typeof gatewaySchema>,
  beside: {
    readonly data: string;
    readonly baseFolder: string;
    readonly serverTls: Readonly<Record<string, WrittenServerTls>> | undefined;
    readonly traces: WrittenTraces | undefined;
  },
): GatewaySettings {
  const { listen = [{ address: { kind: "tcp", host: "0.0.0.0", port: 8080 } }], trustedProxies = [] } =
    written;
  const { via = ownVia(beside.data), forwarded = false, timeouts = {}, limits = {} } = written;
  return {
    listen: listen.map((written) => listenSettingsOf(written, beside.baseFolder)),
    ...(beside.serverTls !== undefined && {
      serverTls: serverTlsByName(beside.serverTls, beside.baseFolder),
    }),
    via,
    forwarded,
    trustedProxies,
    allowServers: written.allowServers ?? [],
    timeouts: {
      header: timeouts.header ?? 10_000,
      connect: timeouts.connect ?? 2000,
      response: timeouts.response ?? 60_000,
      idle: timeouts.idle ?? 75_000,
      request: timeouts.request ?? null,
      drain: timeouts.drain ?? 30_000,
    },
    limits: {
      head: limits.head ?? 16 * 1024,
      headers: limits.headers ?? 100,
      body: limits.body ?? null,
      bodyRate: limits.bodyRate ?? 100,
      connections: limits.connections ?? 20_000,
      requests: limits.requests ?? 10_000,
    },
    ...accessLogSettings(written.accessLog, beside.baseFolder),
    ...(beside.traces !== undefined && { traces: tracesSettings(beside.traces) }),
  };
}

/** Another name for each gateway, so that several in a row do not take each other for themselves. */
function ownVia(data: string): string {
  return `halftone-${placeMark(data)}`;
}

function ownName(data: string): string {
  const host = hostname()
    .replaceAll(/[^\w.-]/g, "-")
    .slice(0, 50);
  return `${host}-${placeMark(data)}`;
}

/** Another text for each data folder of each host. */
function placeMark(data: string): string {
  return createHash("sha256").update(`${hostname()}\0${data}`).digest("hex").slice(0, 8);
}

function absoluteDirectory(directory: DirectoryConfig, baseFolder: string): DirectoryConfig {
  switch (directory.kind) {
    case "memory":
      return directory;
    case "file":
      return { kind: "file", folder: path.resolve(baseFolder, directory.folder) };
    case "redis": {
      const { kind, target, ...files } = directory;
      const absolute = Object.entries(files).map(([key, file]) => [key, path.resolve(baseFolder, file)]);
      return { kind, target, ...(Object.fromEntries(absolute) as Omit<RedisConfig, "target">) };
    }
  }
}

function listenSettingsOf({ tls, ...settings }: WrittenListen, baseFolder: string): ListenSettings {
  return tls === undefined ? settings : { ...settings, tls: listenTls(tls, baseFolder) };
}

const filePath = checkedText((text) => text !== "" && !text.includes("\0"), "a path");

const milliseconds = checkedText(
  (text) => (parseDuration(text) ?? 0) > 0,
  `${DURATION_EXPECTED}, above zero`,
).transform((text) => parseDuration(text)!);

/** Only where waiting no time at all makes sense. */
const millisecondsOrZero = checkedText(
  (text) => parseDuration(text) !== undefined,
  DURATION_EXPECTED,
).transform((text) => parseDuration(text)!);

/** A head smaller than this takes no usual request; one larger than the upper bound is held whole in memory. */
const headSize = sizeBetween(1024, 1024 ** 2, `${SIZE_EXPECTED}, from 1KiB to 1MiB`);
const BODY_EXPECTED = `${SIZE_EXPECTED}, or "none"`;
const bodySize = sizeBetween(0, Number.MAX_SAFE_INTEGER, BODY_EXPECTED);

const listenText = checkedText((text) => parseListenAddress(text) !== undefined, LISTEN_EXPECTED);

const listenAddress = z
  .preprocess(
    numberAsText,
    z.union([listenText, closedObject({ address: listenText }, LISTEN_EXPECTED)], LISTEN_EXPECTED),
  )
  .transform((written) => parseListenAddress(typeof written === "string" ? written : written.address)!);

const addressesAndRanges = listOf(
  checkedText(isAddressOrRange, "an address or a CIDR range"),
  "addresses and CIDR ranges",
);

interface WrittenListen {
  readonly address: ListenAddress;
  readonly http2?: boolean;
  readonly tls?: WrittenListenTls;
  readonly proxyProtocol?: readonly string[];
}

const listenSettings: z.ZodType<WrittenListen> = z.preprocess(
  numberAsText,
  z.union(
    [
      listenText.transform((text) => ({ address: parseListenAddress(text)! })),
      closedObject(
        {
          address: listenText.transform((text) => parseListenAddress(text)!),
          http2: flag().exactOptional(),
          tls: listenTlsSchema.exactOptional(),
          proxyProtocol: addressesAndRanges.exactOptional(),
        },
        LISTEN_EXPECTED,
      ),
    ],
    LISTEN_EXPECTED,
  ),
);

const gatewaySchema = closedObject(
  {
    listen: z
      .union([listenSettings, nonEmptyListOf(listenSettings, "addresses to listen on")], LISTEN_EXPECTED)
      .transform((listen) => (Array.isArray(listen) ? listen : [listen]))
      .exactOptional(),
    // RFC 9110 7.6.3: a pseudonym is a token.
    via: patternText(/^[\w.-]{1,64}$/, "a name of 1 to 64 letters, digits, _ . or -").exactOptional(),
    forwarded: flag().exactOptional(),
    workers: z
      .union([z.literal("auto"), wholeNumber(0, 1024)], '"auto" or a whole number from 0 to 1024')
      .exactOptional(),
    trustedProxies: addressesAndRanges.exactOptional(),
    allowServers: addressesAndRanges.exactOptional(),
    timeouts: closedObject(
      {
        header: milliseconds.exactOptional(),
        connect: milliseconds.exactOptional(),
        response: milliseconds.exactOptional(),
        idle: milliseconds.exactOptional(),
        request: z
          .union([z.literal("none").transform(() => null), milliseconds], `${DURATION_EXPECTED}, or "none"`)
          .exactOptional(),
        drain: millisecondsOrZero.exactOptional(),
      },
      "time limits, {header, connect, response, idle, request, drain}",
    ).exactOptional(),
    limits: closedObject(
      {
        head: headSize.exactOptional(),
        headers: wholeNumber(1, 10_000).exactOptional(),
        body: z.union([z.literal("none").transform(() => null), bodySize], BODY_EXPECTED).exactOptional(),
        bodyRate: z.union([z.literal("none").transform(() => 0), bodySize], BODY_EXPECTED).exactOptional(),
        connections: wholeNumber(1, 10_000_000).exactOptional(),
        requests: wholeNumber(1, 10_000_000).exactOptional(),
      },
      "limits, {head, headers, body, bodyRate, connections, requests}",
    ).exactOptional(),
    accessLog: accessLogSchema.exactOptional(),
  },
  "gateway settings, {listen, workers, via, forwarded, trustedProxies, allowServers, timeouts, limits, accessLog}",
);

const DIRECTORY_EXPECTED = `"memory:", "file:DIR", ${REDIS_EXPECTED}`;

const redisUrl = checkedText((text) => parseRedisUrl(text) !== undefined, REDIS_EXPECTED).transform((text) =>
  parseRedisUrl(text)!,
);

const directory: z.ZodType<DirectoryConfig> = z.union(
  [
    checkedText(
      (text) => text === "memory:" || /^file:[^\0]+$/.test(text) || parseRedisUrl(text) !== undefined,
      DIRECTORY_EXPECTED,
    ).transform(directoryOf),
    closedObject(
      {
        url: redisUrl,
        passwordFile: filePath.exactOptional(),
        ca: filePath.exactOptional(),
        cert: filePath.exactOptional(),
        key: filePath.exactOptional(),
      },
      "how Redis is reached, {url, passwordFile, ca, cert, key}",
    ).transform(({ url, ...files }): DirectoryConfig => ({ kind: "redis", target: url, ...files })),
  ],
  DIRECTORY_EXPECTED,
);

function directoryOf(text: string): DirectoryConfig {
  if (text === "memory:") return { kind: "memory" };
  const target = parseRedisUrl(text);
  if (target !== undefined) return { kind: "redis", target };
  return { kind: "file", folder: text.slice("file:".length) };
}

const adminHost = checkedText(
  (text) => canonicalAddress(text) !== undefined || isHostName(text),
  'a host name or an address, without port, like "gateway-1.internal"',
).transform((text) => canonicalAddress(text) ?? text.toLowerCase());

const configSchema = closedObject(
  {
    gateway: gatewaySchema.exactOptional(),
    serverTls: serverTlsSchema.exactOptional(),
    traces: tracesSchema.exactOptional(),
    admin: closedObject(
      {
        listen: listenAddress.exactOptional(),
        // RFC 6750 2.1: what a bearer token may be made of.
        token: z
          .string("a token of at least 16 characters")
          .regex(/^[\w.~+/-]{16,}=*$/, "a token of at least 16 letters, digits or -._~+/")
          .exactOptional(),
        hosts: listOf(adminHost, "names and addresses").exactOptional(),
      },
      "admin settings, {listen, token, hosts}",
    ).exactOptional(),
    name: patternText(/^[\w.-]{1,64}$/, "a name of 1 to 64 letters, digits, _ . or -").exactOptional(),
    data: filePath.exactOptional(),
    directory: directory.exactOptional(),
    backup: filePath.exactOptional(),
    apps: listOf(filePath, "globs of files").exactOptional(),
    hooks: hooksSchema.exactOptional(),
    notify: notifyListSchema.exactOptional(),
    signals: signalsSchema.exactOptional(),
  },
  "the configuration, {name, gateway, serverTls, traces, admin, data, directory, backup, apps, hooks, notify, signals}",
);

function sizeBetween(least: number, most: number, expected: string) {
  return z
    .union([z.string(), z.number()], expected)
    .refine((written) => isWithin(parseSize(written), least, most), expected)
    .transform((written) => parseSize(written)!);
}

function isWithin(size: number | undefined, least: number, most: number): boolean {
  return size !== undefined && size >= least && size <= most;
}

/** A port alone: YAML reads it as a number. */
function numberAsText(value: unknown): unknown {
  return typeof value === "number" ? String(value) : value;
}

function isBlank(text: string): boolean {
  return text.split("\n").every((line) => /^\s*(?:#.*)?$/.test(line));
}

/** The folder is taken literally: its brackets and stars are no wildcards. */
function absoluteGlob(baseFolder: string, glob: string): string {
  if (path.isAbsolute(glob)) return glob;
  return path.posix.join(baseFolder.replaceAll(/[\\*?[\]{}()!+@]/g, "\\$&"), glob);
}
