// @ts-check
// Slow clients in a process of their own: node slow-swarm.mjs '{"port":…}', options as below. As many as wanted are
// there at first: who is thrown out comes back a little later, until SIGUSR2. Then it waits until the last is gone, and prints
// one line, "report {…}".
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";

/** @typedef {"head" | "body" | "reader"} SlowKind */
/**
 * @typedef {object} SwarmOptions
 * @property {number} port
 * @property {number} count a third of each kind
 * @property {number} everyMs between two bytes
 * @property {number} patience seconds after SIGUSR2 in which all have to be gone
 */

const options = /** @type {SwarmOptions} */ (JSON.parse(process.argv[2] ?? "{}"));
/** @type {readonly SlowKind[]} */
const KINDS = ["head", "body", "reader"];
/** The addresses they come from: 127.0.5.1 and on. */
const SOURCES = 16;

/**
 * Who was thrown out comes back within this time. A reader has had megabytes sent into the kernel's buffers each time:
 * any sooner, and that alone would be heavy load.
 */
const RETURN_MS = { head: 1000, body: 1000, reader: 60_000 };

/** @type {Record<SlowKind, { came: number, present: number, ends: Record<string, number>, lives: number[] }>} */
const tally = {
  head: { came: 0, present: 0, ends: {}, lives: [] },
  body: { came: 0, present: 0, ends: {}, lives: [] },
  reader: { came: 0, present: 0, ends: {}, lives: [] },
};
/** @type {Set<SlowClient>} */
const present = new Set();
let stopped = false;
let came = 0;

class SlowClient {
  came = performance.now();
  status = "";

  /** @param {SlowKind} kind */
  constructor(kind) {
    this.kind = kind;
    tally[kind].came++;
    tally[kind].present++;
    this.socket = connect({
      host: "127.0.0.1",
      port: options.port,
      localAddress: `127.0.5.${1 + (came++ % SOURCES)}`,
      noDelay: true,
      // One byte at a time is taken from the kernel: Node itself would go on reading for a client that does not.
      ...(kind === "reader" ? { onread: { buffer: Buffer.alloc(1), callback: () => false } } : {}),
    });
    this.socket.on("error", (error) =>
      this.gone(/** @type {NodeJS.ErrnoException} */ (error).code ?? "error"),
    );
    this.socket.on("close", () => this.gone("cut"));
    this.socket.on("end", () => this.gone("end"));
    if (kind === "head") this.socket.write("GET / HTTP/1.1\r\nHost: bench.test\r\nX-Slow: ");
    if (kind === "body")
      this.socket.write("POST /sink HTTP/1.1\r\nHost: bench.test\r\nContent-Length: 100000\r\n\r\n");
    if (kind === "reader") this.socket.write("GET /large HTTP/1.1\r\nHost: bench.test\r\n\r\n");
    else this.socket.on("data", (bytes) => (this.status ||= bytes.toString("latin1", 9, 12)));
  }

  step() {
    if (this.kind === "reader") this.socket.resume();
    // A reader too: what it has not read yet would hide from it for hours that it was cut.
    this.socket.write("x");
  }

  /** @param {string} how */
  gone(how) {
    if (!present.delete(this)) return;
    this.socket.destroy();
    const { ends, lives } = tally[this.kind];
    const end = this.status === "" ? how : this.status;
    ends[end] = (ends[end] ?? 0) + 1;
    lives.push((performance.now() - this.came) / 1000);
    tally[this.kind].present--;
    setTimeout(() => stopped || come(this.kind), Math.random() * RETURN_MS[this.kind]);
  }
}

/** @param {SlowKind} kind */
function come(kind) {
  present.add(new SlowClient(kind));
}

process.on("SIGUSR2", () => (stopped = true));

/** They come within five seconds, and take their steps spread over the pause between two bytes. */
for (let n = 0; n < options.count; n++) {
  come(/** @type {SlowKind} */ (KINDS[n % KINDS.length]));
  if (n % 2 === 1) await pause(5);
}
process.stdout.write("complete\n");
/** Many: two hundred clients that take their step in the same millisecond would be a load of its own kind. */
const SLICES = 100;
let slice = 0;
while (!stopped) await steps();
const stoppedAt = performance.now();
while (present.size > 0 && performance.now() - stoppedAt < options.patience * 1000) await steps();

async function steps() {
  let n = 0;
  // Who comes meanwhile is visited too, and who goes is not: a Set allows both.
  for (const client of present) if (n++ % SLICES === slice) client.step();
  slice = (slice + 1) % SLICES;
  await pause(options.everyMs / SLICES);
}

const report = Object.fromEntries(
  KINDS.map((kind) => {
    const { came, present, ends, lives } = tally[kind];
    const sorted = lives.sort((a, b) => a - b);
    return [
      kind,
      { came, left: present, ends, p50: sorted[sorted.length >> 1] ?? null, longest: sorted.at(-1) ?? null },
    ];
  }),
);
const goneAfter = (performance.now() - stoppedAt) / 1000;
process.stdout.write(`report ${JSON.stringify({ kinds: report, goneAfter })}\n`, () => process.exit(0));
