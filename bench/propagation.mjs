// @ts-check
// How long until a change is in force at every gateway of a Redis? bench/README.md says how to read the answer.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { benchMain } from "./bench-main.mjs";
import { commandLine } from "./command-line.mjs";
import { othersBetween, othersTime } from "./cpu-time.mjs";
import { built, fillRedis } from "./fleet/documents.mjs";
import { FleetGateway } from "./fleet/gateway.mjs";
import { dice, percentile } from "./fleet/numbers.mjs";
import { startRedis } from "./fleet/redis.mjs";
import { machine, requireTools } from "./machine.mjs";
import { freePort } from "./free-port.mjs";
import { aligned } from "./report.mjs";
import { waitForAnswer } from "./wait-for-answer.mjs";

const APP = "watched";
const HOST = "watched.bench.test";
/** What is aimed at, in ms. */
const MOST_MEDIAN = 100;
const MOST = 1000;
/** A change that takes longer than this, in ms, ends the run. */
const GIVE_UP = 20_000;
/** Every so many changes one is a plain SET of a bare document. */
const BY_HAND = 10;
const SEED = 20261126;

const USAGE = `npm run bench:propagation -- [options]
  --changes N    changes, one after another (1000)
  --gateways N   gateways, one worker each (3)
  --apps N       apps in the directory beside the one that is changed (0)
  --json FILE    writes everything there
`;

/**
 * @typedef {object} Change
 * @property {"put" | "set"} how
 * @property {number} maker number of the gateway that was asked; -1: none
 * @property {readonly number[]} after ms until each gateway answered by it
 * @property {number} everywhere ms until the last did
 * @property {number | undefined} answered ms until the PUT was answered
 * @property {number} converged ms until another gateway said that all live ones have it
 */

/**
 * Asks one gateway again and again, one request at a time, and notes which change its worker sent it by.
 */
class Watcher {
  newest = -1;
  newestAt = 0;
  answers = 0;
  /** What must not be, in words. */
  /** @type {string[]} */
  wrong = [];
  /** From this ms on requests have to show at least that change. */
  #due = { from: Infinity, change: -1 };
  #stopped = false;
  /** @type {(() => void) | undefined} */
  #onNewer;

  /** @param {FleetGateway} gateway */
  constructor(gateway) {
    this.gateway = gateway;
    this.done = this.#watch();
  }

  /**
   * Requests that begin from now on must not show an older change.
   * @param {number} change
   */
  expect(change) {
    this.#due = { from: performance.now(), change };
  }

  /**
   * Resolves to the time at which the change was first seen.
   * @param {number} change
   * @returns {Promise<number>}
   */
  async sees(change) {
    const until = performance.now() + GIVE_UP;
    while (this.newest < change) {
      if (performance.now() > until)
        throw new Error(`${this.gateway.name} still shows change ${this.newest} instead of ${change}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, GIVE_UP);
        this.#onNewer = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
    return this.newestAt;
  }

  async stop() {
    this.#stopped = true;
    await this.done;
  }

  async #watch() {
    while (!this.#stopped) {
      const begun = performance.now();
      const due = begun >= this.#due.from ? this.#due.change : -1;
      try {
        const { status, body } = await this.gateway.get(HOST);
        this.#note(status, body, due);
      } catch (error) {
        this.wrong.push(`a request failed: ${/** @type {Error} */ (error).message}`);
      }
      await pause(1);
    }
  }

  /**
   * @param {number} status
   * @param {string} body
   * @param {number} due
   */
  #note(status, body, due) {
    this.answers++;
    const seen = status === 200 ? changeAt(body) : -1;
    if (status !== 200) this.wrong.push(`an answer ${status}`);
    else if (seen < this.newest) this.wrong.push(`went back from change ${this.newest} to ${seen}`);
    else if (seen < due) this.wrong.push(`showed change ${seen} when ${due} was said to be in force already`);
    if (seen <= this.newest) return;
    this.newest = seen;
    this.newestAt = performance.now();
    this.#onNewer?.();
  }
}

/**
 * The server of a change: each has an address of its own, so that an answer tells which one the worker had in force.
 * @param {number} change
 */
function addressOf(change) {
  return `127.${64 + (change >> 16)}.${(change >> 8) & 255}.${change & 255}`;
}

/** @param {string} address */
function changeAt(address) {
  const [, first = 0, second = 0, third = 0] = address.split(".").map(Number);
  return ((first - 64) << 16) | (second << 8) | third;
}

/**
 * @param {number} change
 * @param {number} port
 */
function documentOf(change, port) {
  return {
    name: APP,
    routes: [{ host: HOST }],
    port,
    groups: { group1: { servers: [addressOf(change)] }, group2: { servers: ["127.63.0.1"] } },
    deploy: 2,
  };
}

/**
 * @param {{ changes: number, port: number, watchers: readonly Watcher[], redis: import("./fleet/redis.mjs").Redis }} options
 * @returns {Promise<readonly Change[]>}
 */
async function makeChanges({ changes, port, watchers, redis }) {
  const { APPS } = await built("directory/redis/redis-keys.js");
  const roll = dice(SEED);
  /** @type {Change[]} */
  const made = [];
  let revision = revisionOf(await gatewayOf(watchers, 0).admin("GET", `/api/v1/apps/${APP}`));
  for (let change = 1; change <= changes; change++) {
    // Not in step with anything that beats.
    await pause(roll() * 30);
    const byHand = change % BY_HAND === 0;
    const maker = byHand ? -1 : change % watchers.length;
    const document = documentOf(change, port);
    const from = performance.now();
    /** @type {number | undefined} */
    let answered;
    const seen = watchers.map((watcher) => watcher.sees(change));
    if (byHand) {
      await redis.client.set(`${APPS}${APP}`, JSON.stringify(document));
      revision += 1;
    } else {
      const condition = { "if-match": `"${revision}"` };
      const answer = await gatewayOf(watchers, maker).admin(
        "PUT",
        `/api/v1/apps/${APP}`,
        document,
        condition,
      );
      revision = revisionOf(answer);
      answered = performance.now() - from;
      watchers[maker]?.expect(change);
    }
    const asked = gatewayOf(watchers, (change + 1) % watchers.length);
    const question = `/api/v1/apps/${APP}/convergence?revision=${revision}&wait=${GIVE_UP / 1000}s`;
    const [at, converged] = await Promise.all([
      Promise.all(seen),
      asked.admin("GET", question).then(({ status, body }) => {
        if (status !== 200) throw new Error(`${question}: ${status} ${body}`);
        for (const watcher of watchers) watcher.expect(change);
        return performance.now() - from;
      }),
    ]);
    const after = at.map((one) => one - from);
    made.push({
      how: byHand ? "set" : "put",
      maker,
      after,
      everywhere: Math.max(...after),
      answered,
      converged,
    });
    if (change % 100 === 0) process.stderr.write(`${change} changes\n`);
  }
  return made;
}

/**
 * Waits until the gateway has the app at all.
 * @param {FleetGateway} gateway
 */
async function shown(gateway) {
  const until = performance.now() + GIVE_UP;
  for (;;) {
    const { status, body } = await gateway.get(HOST);
    if (status === 200) return;
    if (performance.now() > until) throw new Error(`${gateway.name} answers ${status}: ${body}`);
    await pause(20);
  }
}

/**
 * @param {readonly Watcher[]} watchers
 * @param {number} index
 */
function gatewayOf(watchers, index) {
  const watcher = watchers[index];
  if (watcher === undefined) throw new Error(`there is no gateway ${index}`);
  return watcher.gateway;
}

/** @param {import("./fleet/gateway.mjs").Answer} answer */
function revisionOf({ status, etag, body }) {
  const revision = /^"(\d+)"$/.exec(etag ?? "")?.[1];
  if (revision === undefined) throw new Error(`found ${status} ${body}, expected a revision`);
  return Number(revision);
}

/** @param {readonly Change[]} changes */
function report(changes) {
  /** @type {(title: string, values: readonly number[]) => readonly string[]} */
  const line = (title, values) => [
    title,
    String(values.length),
    ...[50, 99, 100].map((percent) => `${percentile(values, percent).toFixed(1)} ms`),
  ];
  const put = changes.filter(({ how }) => how === "put");
  return aligned([
    ["", "changes", "median", "p99", "worst"],
    line(
      "in force at all",
      changes.map(({ everywhere }) => everywhere),
    ),
    line(
      "  of a PUT",
      put.map(({ everywhere }) => everywhere),
    ),
    line(
      "  of a SET by hand",
      changes.filter(({ how }) => how === "set").map(({ everywhere }) => everywhere),
    ),
    line(
      "where it was put",
      put.map(({ after, maker }) => after[maker] ?? Number.NaN),
    ),
    line(
      "PUT answered",
      put.map(({ answered = Number.NaN }) => answered),
    ),
    line(
      "said to have converged",
      changes.map(({ converged }) => converged),
    ),
  ]);
}

await benchMain(USAGE, async (children, folder) => {
  const { help, text, whole } = commandLine(["changes", "gateways", "apps", "json"]);
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = {
    changes: whole("changes", 1000, 1),
    gateways: whole("gateways", 3, 1),
    apps: whole("apps", 0, 0),
  };
  requireTools(["redis-server"], true);
  const host = machine();
  const cores = cpus().map((_, core) => core);
  const upstream = createServer((request, response) => response.end(request.socket.localAddress));
  const port = await freePort("0.0.0.0");
  upstream.listen(port, "0.0.0.0");
  await once(upstream, "listening");

  const redis = await startRedis(children, folder, cores);
  await fillRedis(redis.client, options.apps, port);
  /** @type {FleetGateway[]} */
  const gateways = [];
  for (let n = 1; n <= options.gateways; n++) {
    const gateway = await FleetGateway.prepare(join(folder, `gateway-${n}`), `gateway-${n}`, redis.url);
    await waitForAnswer(gateway.start(children, cores), gateway.adminPort, "/readyz");
    gateways.push(gateway);
  }
  const put = await gateways[0]?.admin("PUT", `/api/v1/apps/${APP}`, documentOf(0, port), {
    "if-none-match": "*",
  });
  if (put?.status !== 201) throw new Error(`the app was not put: ${put?.status} ${put?.body}`);
  for (const gateway of gateways) await shown(gateway);
  const watchers = gateways.map((gateway) => new Watcher(gateway));
  await Promise.all(watchers.map((watcher) => watcher.sees(0)));
  const othersBefore = othersTime(children.groups);
  const from = performance.now();
  const changes = await makeChanges({ changes: options.changes, port, watchers, redis });
  const seconds = (performance.now() - from) / 1000;
  const others = othersBetween(othersBefore, othersTime(children.groups)) / seconds;
  await Promise.all(watchers.map((watcher) => watcher.stop()));
  redis.client.destroy();
  upstream.close();
  upstream.closeAllConnections();

  const everywhere = changes.map((change) => change.everywhere);
  const answers = watchers.reduce((sum, watcher) => sum + watcher.answers, 0);
  const problems = watchers.flatMap(({ gateway, wrong }) => wrong.map((one) => `${gateway.name}: ${one}`));
  if (percentile(everywhere, 50) > MOST_MEDIAN) problems.push(`the median is above ${MOST_MEDIAN} ms`);
  if (percentile(everywhere, 100) > MOST) problems.push(`the worst is above ${MOST} ms`);
  const facts = Object.entries(host).map(([name, value]) => `${name} ${value}`);
  const every = ((seconds * 1000 * watchers.length) / answers).toFixed(1);
  process.stdout.write(`${facts.join(" · ")}\n`);
  process.stdout.write(
    `${options.gateways} gateways, ${options.apps} other apps; ${answers} requests answered, each gateway asked every ${every} ms; ` +
      `other programs used ${(100 * others).toFixed(0)} % of a core\n\n${report(changes)}\n`,
  );
  for (const problem of problems.slice(0, 20)) process.stdout.write(`! ${problem}\n`);
  if (problems.length > 20) process.stdout.write(`! and ${problems.length - 20} more\n`);
  if (problems.length === 0)
    process.stdout.write("no gateway ever went back, and nothing was said too early\n");
  if (text("json") !== undefined) {
    const document = {
      at: new Date().toISOString(),
      machine: host,
      options,
      others,
      answers,
      problems,
      changes,
    };
    writeFileSync(String(text("json")), `${JSON.stringify(document, undefined, 2)}\n`);
  }
  return problems.length === 0 ? 0 : 1;
});
