// @ts-check
// Gateways and their Redis as queues: who asks what when is as in src/directory/redis and src/fleet, what it costs is given.
import { dice, percentile } from "./numbers.mjs";

/** As in the program; ms. */
const PULSE = 1000;
const BEAT = 1000;
const SCAN_EVERY = 20_000;
const ANSWER_TIME = 2000;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 3000;
const PAGE = 200;
const SCAN_PAGE = 1000;
const RECORDS_PAGE = 500;
/** Of the design that is proposed: digests of so many buckets are compared first. */
const BUCKETS = 1024;
/** Of a field of a hash that is read as a whole, µs. Assumed. */
const BUCKET_FIELD = 0.1;
/** CPU of a gateway for putting one change in force, and for a backup to reach the disk; ms. Assumed. */
const APPLY = 1;
const BACKUP_TO_DISK = 100;
/** One way, ms. Assumed. */
const LATENCY = 0.25;

/**
 * @typedef {object} Scenario
 * @property {string} title
 * @property {number} gateways
 * @property {number} apps
 * @property {number} changesPerSecond
 * @property {number} active apps of each gateway that had traffic within a second
 * @property {number} seconds
 * @property {number} gbit of Redis's network, out
 * @property {number} [backup] CPU µs of a gateway for each app of a backup, in place of the cost measured
 * @property {boolean} [storm] every gateway loses its connection after 5 s
 * @property {boolean} [buckets] one gateway scans for all, which compare digests of buckets
 * @property {number} [recordsEvery] records of counters are told every so many seconds (1)
 * @property {number} [replicas] gateways read at and are told by so many replicas
 * @property {number} [backupEvery] least ms between two backups (0)
 */
/**
 * @typedef {object} Result
 * @property {number} primary part of the time that the primary was busy, after the start
 * @property {number} replica the same of the busiest replica; 0 without
 * @property {number} network part of the time that the network out of the busiest server was
 * @property {number} inBytes bytes a second of heartbeats into the primary
 * @property {{ p50: number, p99: number, most: number }} change ms until in force at all gateways
 * @property {number} missed changes that were not in force everywhere when the simulation ended
 * @property {{ p50: number, p99: number, most: number }} wait ms of an answer
 * @property {number} lost connections given up as an answer took too long
 * @property {number} caughtUp ms after the storm until the last gateway had read everything; NaN: it did not
 * @property {Record<string, number>} demand cores of a Redis that each kind of work asks for, as far as it was done
 */

/** What comes first in time, and of that what was added first. */
class Agenda {
  /** @type {{ at: number, order: number, task: () => void }[]} */
  #heap = [];
  #order = 0;

  /**
   * @param {number} at
   * @param {() => void} task
   */
  add(at, task) {
    const heap = this.#heap;
    const entry = { at, order: this.#order++, task };
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = /** @type {typeof entry} */ (heap[parent]);
      if (!before(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  take() {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      let least = left;
      if (right !== undefined && before(right, left)) {
        child += 1;
        least = right;
      }
      if (!before(least, last)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

/**
 * @param {{ at: number, order: number }} one
 * @param {{ at: number, order: number }} other
 */
function before(one, other) {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** One event loop and one network card, each first come, first served. */
class Server {
  free = 0;
  wire = 0;
  busy = 0;
  sent = 0;
}

/**
 * @param {Scenario} scenario
 * @param {import("./costs.mjs").Costs} costs
 * @param {number} seed
 * @returns {Result} the same for the same arguments
 */
export function simulate(scenario, costs, seed) {
  return new Simulation(scenario, costs, seed).run();
}

/**
 * @typedef {object} Gateway
 * @property {number} index
 * @property {Server} server where it reads and is told
 * @property {number} busy until when its event loop is
 * @property {number} link number of its connection; work of an earlier one is in vain
 * @property {boolean} up
 * @property {number} failures
 * @property {boolean} reading
 * @property {boolean} all everything has to be read
 * @property {Set<number>} toRead changes it was told of
 * @property {number} untold changes in force that the others were not told of
 * @property {boolean} scanning
 * @property {boolean} beating
 * @property {boolean} beatDue
 * @property {boolean} saving
 * @property {boolean} unsaved
 * @property {number} savedAt
 * @property {number} caughtUp
 */

class Simulation {
  #agenda = new Agenda();
  #now = 0;
  #primary = new Server();
  /** @type {Server[]} */
  #replicas = [];
  /** @type {Gateway[]} */
  #gateways = [];
  /** @type {{ at: number, left: number, done: number }[]} */
  #changes = [];
  /** By change, 1 for each gateway that has it. @type {Uint8Array[]} */
  #having = [];
  /** @type {number[]} */
  #waits = [];
  /** @type {Record<string, number>} */
  #demand = {};
  #inBytes = 0;
  #lost = 0;
  #stormAt = Number.NaN;

  /**
   * @param {Scenario} scenario
   * @param {import("./costs.mjs").Costs} costs
   * @param {number} seed
   */
  constructor(scenario, costs, seed) {
    this.scenario = scenario;
    this.costs = costs;
    this.roll = dice(seed);
    this.bytesPerMs = (scenario.gbit * 1e9) / 8 / 1000;
  }

  run() {
    const { gateways, seconds, replicas = 0, changesPerSecond, storm = false } = this.scenario;
    this.#replicas = Array.from({ length: replicas }, () => new Server());
    for (let index = 0; index < gateways; index++) this.#begin(index);
    const end = seconds * 1000;
    if (changesPerSecond > 0) this.#changeLater(end);
    if (storm) {
      this.#stormAt = 5000;
      this.#agenda.add(this.#stormAt, () => {
        for (const gateway of this.#gateways) this.#lose(gateway);
      });
    }
    for (
      let event = this.#agenda.take();
      event !== undefined && event.at <= end;
      event = this.#agenda.take()
    ) {
      this.#now = event.at;
      event.task();
    }
    return this.#result(end);
  }

  /** @param {number} end @returns {Result} */
  #result(end) {
    const busiest = Math.max(0, ...this.#replicas.map(({ busy }) => busy));
    const sent = Math.max(...[this.#primary, ...this.#replicas].map((server) => server.sent));
    const known = this.#changes.filter(({ left }) => left === 0).map(({ at, done }) => done - at);
    const late = this.#gateways.some(({ caughtUp }) => caughtUp < this.#stormAt);
    const last = Math.max(...this.#gateways.map(({ caughtUp }) => caughtUp));
    return {
      primary: Math.min(1, this.#primary.busy / end),
      replica: Math.min(1, busiest / end),
      network: Math.min(1, sent / this.bytesPerMs / end),
      inBytes: (this.#inBytes * 1000) / end,
      change: spread(known),
      // Those of the last second had little time.
      missed: this.#changes.filter(({ at, left }) => left > 0 && at < end - 1000).length,
      wait: spread(this.#waits),
      lost: this.#lost,
      caughtUp: late ? Number.NaN : last - this.#stormAt,
      demand: Object.fromEntries(Object.entries(this.#demand).map(([kind, us]) => [kind, us / 1000 / end])),
    };
  }

  /** @param {number} index */
  #begin(index) {
    const servers = this.#replicas;
    /** @type {Gateway} */
    const gateway = {
      index,
      server: servers[index % Math.max(1, servers.length)] ?? this.#primary,
      busy: 0,
      link: 0,
      up: true,
      failures: 0,
      reading: false,
      all: false,
      toRead: new Set(),
      untold: 0,
      scanning: false,
      beating: false,
      beatDue: false,
      saving: false,
      unsaved: false,
      savedAt: -Infinity,
      caughtUp: 0,
    };
    this.#gateways.push(gateway);
    this.#every(PULSE, () => this.#pulse(gateway));
    let seconds = Math.floor(this.roll() * 1000);
    this.#every(BEAT, () => {
      seconds += 1;
      this.#beat(gateway, seconds % (this.scenario.recordsEvery ?? 1) === 0);
    });
    // In the middle of things: the next scan is somewhere within the usual time.
    this.#agenda.add(this.roll() * SCAN_EVERY * 1.25, () => this.#scan(gateway));
  }

  /**
   * @param {number} ms
   * @param {() => void} task
   */
  #every(ms, task) {
    const again = () => {
      task();
      this.#agenda.add(this.#now + ms, again);
    };
    this.#agenda.add(this.roll() * ms, again);
  }

  /**
   * Asks a server; `then` runs in the gateway when the answer is there and its event loop is free. After too long a wait
   * the connection is given up instead.
   * @param {Gateway} gateway
   * @param {Server} server
   * @param {string} kind
   * @param {number} cost µs of the server
   * @param {number} bytes of the answer
   * @param {() => void} then
   */
  #ask(gateway, server, kind, cost, bytes, then) {
    const { link } = gateway;
    if (!gateway.up) return;
    const asked = this.#now;
    const giveUp = () => {
      if (gateway.link !== link) return;
      this.#lost += 1;
      this.#lose(gateway);
    };
    this.#agenda.add(asked + LATENCY, () => {
      const comes = this.#serve(server, kind, cost, bytes) + LATENCY;
      if (comes - asked > ANSWER_TIME) {
        this.#waits.push(comes - asked);
        this.#agenda.add(asked + ANSWER_TIME, giveUp);
        return;
      }
      this.#agenda.add(comes, () => {
        const handled = Math.max(this.#now, gateway.busy);
        this.#waits.push(handled - asked);
        this.#agenda.add(handled, () => {
          if (handled - asked > ANSWER_TIME) giveUp();
          else if (gateway.link === link) then();
        });
      });
    });
  }

  /**
   * When the answer has left the server.
   * @param {Server} server
   * @param {string} kind
   * @param {number} cost
   * @param {number} bytes
   */
  #serve(server, kind, cost, bytes) {
    server.free = Math.max(this.#now, server.free) + cost / 1000;
    server.busy += cost / 1000;
    server.wire = Math.max(server.free, server.wire) + bytes / this.bytesPerMs;
    server.sent += bytes;
    this.#demand[kind] = (this.#demand[kind] ?? 0) + cost;
    return server.wire;
  }

  /** @param {Gateway} gateway */
  #lose(gateway) {
    if (!gateway.up) return;
    gateway.up = false;
    gateway.link += 1;
    gateway.reading = false;
    gateway.beating = false;
    if (gateway.scanning) {
      gateway.scanning = false;
      this.#scanLater(gateway);
    }
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** gateway.failures) * (0.5 + this.roll() / 2);
    gateway.failures += 1;
    this.#agenda.add(this.#now + pause, () => {
      gateway.up = true;
      this.#ask(gateway, gateway.server, "connect", this.costs.connect, 2000, () => {
        gateway.failures = 0;
        gateway.all = true;
        this.#read(gateway);
      });
    });
  }

  /** @param {Gateway} gateway */
  #pulse(gateway) {
    this.#ask(gateway, gateway.server, "pulse", this.costs.pulse, 10, () => undefined);
  }

  /**
   * @param {Gateway} gateway
   * @param {boolean} counters
   */
  #beat(gateway, counters) {
    if (!gateway.up) return;
    if (gateway.beating) {
      gateway.beatDue = true;
      return;
    }
    gateway.beating = true;
    const records = gateway.untold + (counters ? Math.min(this.scenario.active, this.scenario.apps) : 0);
    gateway.untold = 0;
    this.#tell(gateway, records);
  }

  /**
   * @param {Gateway} gateway
   * @param {number} records
   */
  #tell(gateway, records) {
    const { beat, beatMore, report, record } = this.costs;
    const page = Math.min(records, RECORDS_PAGE);
    this.#inBytes += report + page * record;
    this.#ask(gateway, this.#primary, "beat", beat + page * beatMore, 10, () => {
      if (records > page) {
        this.#tell(gateway, records - page);
        return;
      }
      gateway.beating = false;
      if (!gateway.beatDue) return;
      gateway.beatDue = false;
      this.#beat(gateway, false);
    });
  }

  /** @param {Gateway} gateway */
  #scan(gateway) {
    const { apps, buckets = false } = this.scenario;
    const { digest, read } = this.costs;
    if (!gateway.up) {
      this.#scanLater(gateway);
      return;
    }
    if (buckets && gateway.index !== 0) {
      // A hash of as many digests, of which none differs from what this gateway computes itself.
      this.#ask(
        gateway,
        gateway.server,
        "scan",
        read + BUCKETS * BUCKET_FIELD,
        BUCKETS * 50,
        () => undefined,
      );
      this.#scanLater(gateway);
      return;
    }
    gateway.scanning = true;
    const page = (/** @type {number} */ from) => {
      if (from >= apps) {
        gateway.scanning = false;
        this.#scanLater(gateway);
        return;
      }
      const count = Math.min(PAGE, apps - from);
      this.#ask(gateway, gateway.server, "scan", count * digest, count * 47, () => page(from + count));
    };
    this.#names(gateway, () => page(0));
  }

  /** @param {Gateway} gateway */
  #scanLater(gateway) {
    this.#agenda.add(this.#now + SCAN_EVERY * (1 + this.roll() / 2), () => this.#scan(gateway));
  }

  /**
   * Every name, by SCAN.
   * @param {Gateway} gateway
   * @param {() => void} then
   */
  #names(gateway, then) {
    const { apps } = this.scenario;
    const page = (/** @type {number} */ from) => {
      if (from >= apps) {
        then();
        return;
      }
      const count = Math.min(SCAN_PAGE, apps - from);
      this.#ask(gateway, gateway.server, "scan", count * this.costs.scanKeys, count * 45, () =>
        page(from + count),
      );
    };
    page(0);
  }

  /** @param {Gateway} gateway */
  #read(gateway) {
    if (gateway.reading || !gateway.up) return;
    if (gateway.all) {
      gateway.all = false;
      gateway.reading = true;
      const told = [...gateway.toRead];
      gateway.toRead.clear();
      this.#names(gateway, () => this.#readPage(gateway, 0, told));
      return;
    }
    if (gateway.toRead.size === 0) return;
    gateway.reading = true;
    const told = [...gateway.toRead];
    gateway.toRead.clear();
    const { read, readMore, document } = this.costs;
    const count = told.length;
    this.#ask(gateway, gateway.server, "read", read + (count - 1) * readMore, count * document, () => {
      this.#apply(gateway, told);
    });
  }

  /**
   * @param {Gateway} gateway
   * @param {number} from
   * @param {number[]} told
   */
  #readPage(gateway, from, told) {
    const { apps } = this.scenario;
    const { read, readMore, document, compare } = this.costs;
    if (from >= apps) {
      gateway.caughtUp = this.#now;
      // Whatever was changed before it was read is known now.
      const missed = this.#changes.flatMap(({ at }, change) => (at < this.#now - 1 ? [change] : []));
      this.#apply(gateway, [...new Set([...told, ...missed])]);
      return;
    }
    const count = Math.min(PAGE, apps - from);
    this.#ask(gateway, gateway.server, "full read", read + count * readMore, count * (document + 10), () => {
      gateway.busy = Math.max(this.#now, gateway.busy) + (count * compare) / 1000;
      this.#agenda.add(gateway.busy, () => this.#readPage(gateway, from + count, told));
    });
  }

  /**
   * @param {Gateway} gateway
   * @param {readonly number[]} told
   */
  #apply(gateway, told) {
    const fresh = told.filter((change) => !this.#has(gateway, change));
    gateway.busy = Math.max(this.#now, gateway.busy) + APPLY * fresh.length;
    const { link } = gateway;
    this.#agenda.add(gateway.busy, () => {
      for (const change of fresh) this.#inForce(gateway, change);
      if (fresh.length > 0) this.#save(gateway);
      if (gateway.link !== link) return;
      gateway.reading = false;
      gateway.untold += fresh.length;
      if (fresh.length > 0) this.#beat(gateway, false);
      this.#read(gateway);
    });
  }

  /**
   * @param {Gateway} gateway
   * @param {number} change
   */
  #has(gateway, change) {
    return this.#having[change]?.[gateway.index] === 1;
  }

  /**
   * @param {Gateway} gateway
   * @param {number} index
   */
  #inForce(gateway, index) {
    const change = this.#changes[index];
    const having = this.#having[index];
    if (change === undefined || having === undefined || having[gateway.index] === 1) return;
    having[gateway.index] = 1;
    change.left -= 1;
    change.done = this.#now;
  }

  /**
   * The whole backup is serialised by the event loop, then written; one at a time.
   * @param {Gateway} gateway
   */
  #save(gateway) {
    if (gateway.saving) {
      gateway.unsaved = true;
      return;
    }
    gateway.saving = true;
    const { apps, backup = this.costs.backup, backupEvery = 0 } = this.scenario;
    this.#agenda.add(Math.max(this.#now, gateway.savedAt + backupEvery), () => {
      gateway.unsaved = false;
      gateway.savedAt = this.#now;
      gateway.busy = Math.max(this.#now, gateway.busy) + (apps * backup) / 1000;
      this.#agenda.add(gateway.busy + BACKUP_TO_DISK, () => {
        gateway.saving = false;
        if (gateway.unsaved) this.#save(gateway);
      });
    });
  }

  /** @param {number} end */
  #changeLater(end) {
    const { changesPerSecond, gateways } = this.scenario;
    const gap = (-Math.log(1 - this.roll()) * 1000) / changesPerSecond;
    const at = Math.max(this.#now + gap, 2000);
    if (at > end) return;
    this.#agenda.add(at, () => {
      const index = this.#changes.length;
      this.#changes.push({ at: this.#now, left: gateways, done: 0 });
      this.#having.push(new Uint8Array(gateways));
      const stored = this.#serve(this.#primary, "write", this.costs.write, 1000);
      const servers = this.#replicas.length === 0 ? [this.#primary] : this.#replicas;
      for (const server of servers) {
        const arrives = server === this.#primary ? stored : stored + LATENCY;
        this.#agenda.add(arrives, () => this.#push(server, index));
      }
      this.#changeLater(end);
    });
  }

  /**
   * @param {Server} server
   * @param {number} change
   */
  #push(server, change) {
    const told = this.#gateways.filter((gateway) => gateway.server === server && gateway.up);
    const first = Math.floor(this.roll() * told.length);
    for (let n = 0; n < told.length; n++) {
      const gateway = told[(first + n) % told.length];
      if (gateway === undefined) continue;
      const sent = this.#serve(server, "push", this.costs.push, 60);
      const { link } = gateway;
      this.#agenda.add(sent + LATENCY, () => {
        this.#agenda.add(Math.max(this.#now, gateway.busy), () => {
          if (gateway.link !== link) return;
          gateway.toRead.add(change);
          this.#read(gateway);
        });
      });
    }
  }
}

/** @param {readonly number[]} values */
function spread(values) {
  return { p50: percentile(values, 50), p99: percentile(values, 99), most: percentile(values, 100) };
}
