// @ts-check
// Load in a process of its own: node load-generator.mjs '{"host":…}', options as below. Prints one line, "report {…}".
//
// Open loop: every request has a time at which it is due, and is sent then whether or not earlier ones were answered,
// on an idle connection or, if all are busy, on a new one. Latency counts from the time a request was due, so a
// generator or a gateway that stalls cannot hide it (coordinated omission). How late the generator itself was is
// reported beside. Closed loop: every connection sends its next request when it has its answer.
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";

/**
 * @typedef {object} LoadOptions
 * @property {string} host
 * @property {number} port
 * @property {string} path
 * @property {number} rate requests a second; 0: closed loop
 * @property {number} connections opened before the first request
 * @property {number} maxConnections beyond them a request that finds none idle is not sent, and counted
 * @property {number} warmUp seconds of load before what counts
 * @property {number} seconds that count
 * @property {number} patience seconds in which the last answers may still come
 */

const options = /** @type {LoadOptions} */ (JSON.parse(process.argv[2] ?? "{}"));
const REQUEST = `GET ${options.path} HTTP/1.1\r\nHost: bench.test\r\n\r\n`;
/** Every read of every connection goes here: it is looked at before the next one. */
const BUFFER = Buffer.allocUnsafe(256 * 1024);
/** Beyond the start of a head nothing is looked at. */
const HEAD_LIMIT = 4096;

let countFrom = Infinity;
let countUntil = Infinity;
let connections = 0;
let opened = 0;
let underWay = 0;
let closing = false;
/** @type {Connection[]} the one used last goes first: few stay warm, as in a pool */
const idle = [];

const count = {
  sent: 0,
  unsent: 0,
  ok: 0,
  rejected: 0,
  bareRejected: 0,
  otherStatus: 0,
  failed: 0,
  bytes: 0,
};
/** In ms. @type {number[]} */
const okLatency = [];
/** @type {number[]} */
const rejectedLatency = [];
/** @type {number[]} */
const lateness = [];
/** @type {Record<string, number>} */
const failures = {};

class Connection {
  busy = false;
  due = 0;
  /** Text of a head of which only a part has come. */
  head = "";
  remaining = 0;
  status = 0;
  close = false;
  chunked = false;
  retryAfter = false;
  gone = false;

  constructor() {
    connections++;
    opened++;
    this.socket = connect({
      host: options.host,
      port: options.port,
      noDelay: true,
      onread: {
        buffer: BUFFER,
        callback: (length) => {
          this.read(length);
          return true;
        },
      },
    });
    this.socket.on("error", (error) =>
      this.end(/** @type {NodeJS.ErrnoException} */ (error).code ?? "error"),
    );
    this.socket.on("end", () => this.end("end before the answer's"));
    this.socket.on("close", () => this.end("closed"));
  }

  /** @param {number} due */
  send(due) {
    this.busy = true;
    this.due = due;
    underWay++;
    this.socket.write(REQUEST, "latin1");
  }

  /** @param {number} length */
  read(length) {
    if (countsNow()) count.bytes += length;
    if (this.chunked) {
      if (endsInLastChunk(length)) this.answered();
      return;
    }
    if (this.remaining > 0) {
      this.remaining -= length;
    } else {
      this.head += BUFFER.toString("latin1", 0, Math.min(length, HEAD_LIMIT));
      const end = this.head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const fields = this.head.slice(0, end + 2).toLowerCase();
      this.status = Number(fields.slice(9, 12));
      this.close = fields.includes("\r\nconnection: close");
      this.chunked = fields.includes("\r\ntransfer-encoding: chunked");
      this.retryAfter = fields.includes("\r\nretry-after:");
      if (this.chunked) {
        this.head = "";
        if (endsInLastChunk(length)) this.answered();
        return;
      }
      const at = fields.indexOf("\r\ncontent-length:");
      if (at < 0) throw new Error(`an answer of unknown length: ${fields}`);
      // Of a head in several reads only the last one can bring more than the head.
      const before = Math.max(0, this.head.length - Math.min(length, HEAD_LIMIT));
      this.remaining = parseInt(fields.slice(at + 17), 10) - (length - (end + 4 - before));
      this.head = "";
    }
    if (this.remaining < 0) throw new Error("more bytes than the answer's length");
    if (this.remaining === 0) this.answered();
  }

  answered() {
    underWay--;
    this.busy = false;
    this.chunked = false;
    const now = performance.now();
    if (counts(this.due)) {
      const latency = now - this.due;
      if (this.status === 200) okLatency.push(latency);
      else if (this.status === 503) rejectedLatency.push(latency);
    }
    if (counts(now)) {
      if (this.status === 200) count.ok++;
      else if (this.status === 503 && this.retryAfter) count.rejected++;
      else if (this.status === 503) count.bareRejected++;
      else count.otherStatus++;
    }
    if (this.close) this.end("");
    else if (options.rate > 0) idle.push(this);
    else if (!closing) sendCounted(this, now);
  }

  /** @param {string} why */
  end(why) {
    if (this.gone) return;
    this.gone = true;
    connections--;
    this.socket.destroy();
    const at = idle.indexOf(this);
    if (at >= 0) idle.splice(at, 1);
    if (this.busy) {
      underWay--;
      if (counts(this.due)) {
        count.failed++;
        failures[why] = (failures[why] ?? 0) + 1;
      }
    }
    if (options.rate === 0 && !closing) sendCounted(new Connection(), performance.now());
  }
}

/**
 * Enough of a reading for answers whose content never looks like this: the end of the last chunk ends a read.
 * @param {number} length
 */
function endsInLastChunk(length) {
  return length >= 5 && BUFFER.toString("latin1", length - 5, length) === "0\r\n\r\n";
}

/** @param {number} time */
function counts(time) {
  return time >= countFrom && time < countUntil;
}

function countsNow() {
  return counts(performance.now());
}

/**
 * @param {Connection} connection
 * @param {number} due
 */
function sendCounted(connection, due) {
  if (counts(due)) count.sent++;
  connection.send(due);
}

/** @returns {Promise<void>} */
function openLoop() {
  const start = performance.now();
  let next = 0;
  return new Promise((resolve) => {
    const tick = () => {
      const now = performance.now();
      for (;;) {
        const due = start + (next * 1000) / options.rate;
        if (due > now) break;
        if (due >= countUntil) {
          resolve();
          return;
        }
        next++;
        if (counts(due)) lateness.push(performance.now() - due);
        const connection =
          idle.pop() ?? (connections < options.maxConnections ? new Connection() : undefined);
        if (connection !== undefined) sendCounted(connection, due);
        else if (counts(due)) count.unsent++;
      }
      setTimeout(tick, 1);
    };
    tick();
  });
}

/** @param {number[]} values */
function quantiles(values) {
  const sorted = Float64Array.from(values).sort();
  const at = (/** @type {number} */ share) =>
    sorted.length === 0
      ? null
      : (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: sorted.at(-1) ?? null };
}

const standing = Array.from({ length: options.connections }, () => new Connection());
await Promise.all(
  standing.map((connection) => new Promise((resolve) => connection.socket.once("connect", resolve))),
);
opened = 0;
const begun = performance.now();
countFrom = begun + options.warmUp * 1000;
countUntil = countFrom + options.seconds * 1000;
const cpuAtStart = process.cpuUsage();
if (options.rate > 0) {
  idle.push(...standing);
  await openLoop();
} else {
  for (const connection of standing) sendCounted(connection, begun);
  await pause(countUntil - begun);
}
closing = true;
const cpu = process.cpuUsage(cpuAtStart);
const wall = (performance.now() - begun) * 1000;
const patience = performance.now() + options.patience * 1000;
while (underWay > 0 && performance.now() < patience) await pause(10);

const report = {
  seconds: options.seconds,
  ...count,
  unanswered: underWay,
  failures,
  opened,
  okLatency: quantiles(okLatency),
  rejectedLatency: quantiles(rejectedLatency),
  lateness: quantiles(lateness),
  coreUse: (cpu.user + cpu.system) / wall,
};
process.stdout.write(`report ${JSON.stringify(report)}\n`, () => process.exit(0));
