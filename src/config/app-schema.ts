import * as z from "zod";

import { canonicalAddress, isAddressOrRange } from "./address-set.ts";
import type { AppDocument, RouteDocument, ServerDocument } from "./app-document.ts";
import {
  checkedText,
  closedObject,
  duration,
  durationOrZero,
  flag,
  listOf,
  nonEmptyListOf,
  patternText,
  percentage,
  wholeNumber,
} from "./schema-fields.ts";
import { NAME, NAME_EXPECTED } from "./names.ts";
import { releaseSchema } from "./release-schema.ts";
import { tlsName } from "./tls-schema.ts";
import { CERTIFICATE_ATTRIBUTES } from "../core/client.ts";
import { isHostName, parseServerAddress, SERVER_ADDRESS_EXPECTED, serverOf } from "./server-address.ts";

/** RFC 9110 5.6.2; the names of cookies (RFC 6265 4.1.1) have the same grammar. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const weight = wholeNumber(0, 1_000_000);

const headerName = patternText(TOKEN, "the name of a header").meta({ description: "Name of a header." });
const cookieName = patternText(TOKEN, "the name of a cookie").meta({ description: "Name of a cookie." });

/**
 * A path prefix as it stands in a request: percent-encoded where needed, without query. Empty and dot segments are
 * refused, as clients and servers disagree on what they mean.
 */
const requestPath = checkedText(
  (path) =>
    /^\/[!-~]*$/.test(path) &&
    !/[?#]/.test(path) &&
    !path.includes("//") &&
    !/\\|%(?![0-9a-f]{2})|%00/i.test(path) &&
    path.split("/").every((segment) => !/^(?:\.|%2e){1,2}$/i.test(segment)),
  'a path that begins with "/", percent-encoded, without query, backslash, empty or dot segments',
);

/** One server of a group. */
export const serverSchema: z.ZodType<ServerDocument> = z
  .union(
    [
      checkedText(isServerAddress, SERVER_ADDRESS_EXPECTED),
      closedObject(
        {
          address: checkedText(isServerAddress, SERVER_ADDRESS_EXPECTED),
          port: wholeNumber(1, 65_535)
            .meta({ description: "Default: the one in the address, else the app's." })
            .exactOptional(),
          weight: weight.meta({ description: "0: never chosen. Default: the group's." }).exactOptional(),
        },
        SERVER_ADDRESS_EXPECTED,
      ).refine(({ address, port }) => port === undefined || takesPort(address), {
        path: ["port"],
        error: "no port here, as the address has one or needs none",
      }),
    ],
    `${SERVER_ADDRESS_EXPECTED}, or {address, port, weight}`,
  )
  .meta({ description: `A server: ${SERVER_ADDRESS_EXPECTED}; or a map that says more.` });

/** One route; the host becomes lower-case. */
export const routeSchema: z.ZodType<RouteDocument> = closedObject(
  {
    host: checkedText(isRouteHost, 'a host without port: "shop.example.com", "*.example.com" or "*"')
      .overwrite((host) => host.toLowerCase())
      .meta({
        description:
          'A host name without port, "*.example.com" for any host below, "*" for any. Default "*".',
      })
      .exactOptional(),
    path: requestPath
      .meta({ description: 'Path prefix, matched at segment borders. Default "/".' })
      .exactOptional(),
  },
  "a route, {host, path}",
);

const group = closedObject(
  {
    weight: weight
      .meta({ description: "Weight of each of the servers that has none of its own. Default 1." })
      .exactOptional(),
    servers: nonEmptyListOf(serverSchema, "servers").meta({ description: "At least one." }),
  },
  "a group, {weight, servers}",
);

// An object keeps the order of its keys, except that bare numbers come first: such names would silently change which
// group is the first to be updated.
const groupName = patternText(
  /^(?!\d+$)[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/,
  `${NAME_EXPECTED}, and not a bare number (the order of the groups would be lost)`,
);

const groups = z
  .record(groupName, group, "the groups by name, {group1: {weight, servers}, …}")
  .refine((groups) => Object.keys(groups).length > 0, "at least one group");

const TESTER_EXPECTED =
  "an address, a CIDR range, {header, equals}, {cookie, equals} or {certificate, equals}";
const equals = z.string("the value, as text").meta({ description: "The exact value." });

const certificateAttribute = z
  .enum(CERTIFICATE_ATTRIBUTES, CERTIFICATE_ATTRIBUTES.map((name) => `"${name}"`).join(", "))
  .meta({
    description:
      "Attribute of the verified client certificate: of its subject, or `san` for an entry of its subjectAltName.",
  });

const tester = z.union(
  [
    checkedText(isAddressOrRange, TESTER_EXPECTED),
    closedObject({ header: headerName, equals }, TESTER_EXPECTED),
    closedObject({ cookie: cookieName, equals }, TESTER_EXPECTED),
    closedObject({ certificate: certificateAttribute, equals }, TESTER_EXPECTED),
  ],
  TESTER_EXPECTED,
);

const CLIENT_KEY_EXPECTED = '"address", {cookie} or {header}';

const clientKey = z.union(
  [
    z.literal("address", CLIENT_KEY_EXPECTED),
    closedObject({ cookie: cookieName }, CLIENT_KEY_EXPECTED),
    closedObject({ header: headerName }, CLIENT_KEY_EXPECTED),
  ],
  CLIENT_KEY_EXPECTED,
);

const status = wholeNumber(100, 599);

const check = closedObject(
  {
    path: checkedText((path) => /^\/[!-~]*$/.test(path), 'a path that begins with "/"'),
    interval: duration()
      .meta({ description: 'Duration between two checks of a server. Default "2s".' })
      .exactOptional(),
    expect: z
      .union(
        [status, nonEmptyListOf(status, "status codes")],
        "a status code from 100 to 599, or a list of them",
      )
      .meta({ description: "Status codes of a healthy server. Default 200." })
      .exactOptional(),
    timeout: duration()
      .meta({ description: "Duration after which a check has failed. Default: the interval." })
      .exactOptional(),
    healthy: wholeNumber(1, 1000)
      .meta({ description: "Good checks in a row that bring a server back. Default 2." })
      .exactOptional(),
    unhealthy: wholeNumber(1, 1000)
      .meta({ description: "Failed checks in a row that take a server out. Default 3." })
      .exactOptional(),
  },
  "a check, {path, interval, expect}",
);

const health = closedObject(
  {
    maxFails: wholeNumber(1, 1_000_000)
      .meta({ description: "Failures within the die time that make a server dead. Default 1." })
      .exactOptional(),
    dieTime: duration()
      .meta({
        description:
          'Duration a dead server is left out at first; doubles with each failure in a row. Default "10s".',
      })
      .exactOptional(),
    maxDieTime: duration()
      .meta({ description: 'Upper bound of the doubled die time, a duration. Default "300s".' })
      .exactOptional(),
    slowStart: durationOrZero()
      .meta({
        description:
          'Duration over which a server that comes back gets more and more of its requests. Default "0ms".',
      })
      .exactOptional(),
    check: check.meta({ description: "Active checks. Default: none." }).exactOptional(),
  },
  "health settings, {maxFails, dieTime, maxDieTime, slowStart, check}",
);

const retry = closedObject(
  {
    tries: wholeNumber(1, 100)
      .meta({ description: "Servers one request may be sent to, the first included. Default 2." })
      .exactOptional(),
    budget: percentage()
      .meta({ description: "Retries allowed, as a percentage of recent requests. Default 20." })
      .exactOptional(),
    on: listOf(wholeNumber(400, 599), "status codes from 400 to 599")
      .meta({ description: "Status codes that count as a failed try. Default: none." })
      .exactOptional(),
  },
  "retry settings, {tries, budget, on}",
);

/** `protocol-name ["/" protocol-version]` of RFC 9110 7.8. Requests in an h2c tunnel would pass without being judged. */
const protocol = checkedText(
  (name) =>
    name.split("/").length <= 2 && name.split("/").every((part) => TOKEN.test(part)) && !/^h2c$/i.test(name),
  'a protocol as in Upgrade, "websocket"; not h2c, whose requests nobody could judge',
);

const appShape = {
  name: patternText(NAME, NAME_EXPECTED).meta({ description: "Name of the app." }),
  routes: nonEmptyListOf(routeSchema, "routes")
    .meta({ description: "Which requests belong to the app. Default: any host, path /." })
    .exactOptional(),
  port: wholeNumber(1, 65_535)
    .meta({ description: "Port of servers written without one. Default 80." })
    .exactOptional(),
  tls: z
    .union([flag(), tlsName], "true, false or a name of serverTls in halftone.yaml")
    .meta({
      description:
        "Speak TLS to the servers, whose certificates are verified: true by the system's authorities, or a name of serverTls in halftone.yaml. Default false.",
    })
    .exactOptional(),
  groups: groups.meta({ description: "Groups of servers, in the order in which they are updated." }),
  testers: listOf(tester, "testers")
    .meta({
      description:
        "Whose requests go to the group under test: addresses, CIDR ranges, headers, cookies, client certificates.",
    })
    .exactOptional(),
  stickiness: nonEmptyListOf(clientKey, "client keys")
    .meta({
      description:
        "What tells one client from another; the first that a request carries counts. Default: the address.",
    })
    .exactOptional(),
  deploy: wholeNumber(0, 1000)
    .meta({ description: "0: nothing is being updated; k: the k-th group is under test. Default 0." })
    .exactOptional(),
  testing: flag()
    .meta({ description: "False keeps testers too away from the group under test. Default true." })
    .exactOptional(),
  share: percentage()
    .meta({ description: "Percentage of the other clients sent to the group under test. Default 0." })
    .exactOptional(),
  standby: listOf(patternText(NAME, NAME_EXPECTED), "names of groups")
    .meta({
      description:
        "Groups that live but take nobody, as they run another version than the public is on. Default: none.",
    })
    .exactOptional(),
  ramp: z
    .record(z.string(), wholeNumber(1, 100), "percentages by group, {group2: 25}")
    .meta({
      description:
        "Percentage of its weight that a group has while its caches warm up, by its name. Default: all of it.",
    })
    .exactOptional(),
  quarantine: listOf(
    checkedText(isServerId, 'the address of a server with its port, "10.0.4.175:80", or unix:/path'),
    "addresses of servers",
  )
    .meta({
      description:
        "Servers of the groups that get no request; a release puts those here that it found broken. Every group needs another one. Default: none.",
    })
    .exactOptional(),
  tally: closedObject(
    {
      window: duration().meta({ description: "Duration of a window." }),
      slower: z
        .array(z.number("milliseconds").positive("milliseconds above zero"), "three latencies")
        .length(3, "three latencies, of p50, p90 and p99")
        .meta({ description: "Latencies in ms above which an answer is slow." })
        .exactOptional(),
    },
    "{window, slower}",
  )
    .meta({ description: "What a release has counted for its verdict. Written by releases." })
    .exactOptional(),
  draw: patternText(/^[\w.-]{0,64}$/, "up to 64 letters, digits, _ . or -")
    .meta({
      description:
        "Names the draw of clients for share: another one draws others first. A release puts its id here.",
    })
    .exactOptional(),
  balance: z
    .enum(["roundRobin", "leastConnections", "hash"], '"roundRobin", "leastConnections" or "hash"')
    .meta({ description: "How a server of the pool is chosen. Default roundRobin." })
    .exactOptional(),
  health: health.meta({ description: "When a server counts as dead, and for how long." }).exactOptional(),
  retry: retry.meta({ description: "When a failed try goes to another server." }).exactOptional(),
  release: releaseSchema.meta({ description: "How releases of the app go." }).exactOptional(),
  proxyProtocol: z
    .enum(["v1", "v2"], '"v1" or "v2"')
    .meta({
      description:
        "Every connection to a server begins with a PROXY header of this version, and carries one request. Default: none.",
    })
    .exactOptional(),
  testersFallBack: flag()
    .meta({
      description:
        "Testers may be served by the others when the group under test has no live server. Default false.",
    })
    .exactOptional(),
  emergencySpill: flag()
    .meta({
      description: "The public may be sent to the group under test when nothing else lives. Default false.",
    })
    .exactOptional(),
  upgrades: listOf(protocol, "protocols")
    .meta({ description: 'Protocols a connection may be upgraded to. Default ["websocket"].' })
    .exactOptional(),
  expose: flag()
    .meta({ description: "Tell every client, not only testers, which group answered. Default false." })
    .exactOptional(),
};

/** The keys a document may have. */
export const APP_KEYS: readonly string[] = Object.keys(appShape);

/** The canonical form, field by field; what fields owe each other is checked by `app-consistency.ts`. */
export const appSchema: z.ZodType<AppDocument> = closedObject(appShape, "an app document, {name, groups, …}");

/** As the gateway names a server: nothing is left to a default. */
function isServerId(text: string): boolean {
  return serverOf(text, { port: 0, weight: 1 })?.id === text && !takesPort(text);
}

function isServerAddress(text: string): boolean {
  return parseServerAddress(text) !== undefined;
}

function takesPort(text: string): boolean {
  const address = parseServerAddress(text);
  return address === undefined || (address.kind !== "unix" && address.port === undefined);
}

function isRouteHost(host: string): boolean {
  if (host === "*") return true;
  if (host.startsWith("*.")) return isHostName(host.slice(2));
  if (host.startsWith("[") && host.endsWith("]")) return canonicalAddress(host.slice(1, -1)) !== undefined;
  return isHostName(host) || (canonicalAddress(host) !== undefined && !host.includes(":"));
}
