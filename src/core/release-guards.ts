import type { Facts, Freeze, GroupCapacity } from "./release-event.ts";
import { publicPools, type PlacedGroup, type PublicPool, type Routing } from "./release-routing.ts";
import type { Refusal } from "./release-state.ts";
import { durationInWords, listInWords, numberInWords } from "./release-words.ts";

/** What a guard has to know besides the facts. */
export interface Guarded {
  readonly routing: Routing;
  readonly groups: readonly PlacedGroup[];
  /** Percentage, see `ReleasePlan`. */
  readonly minCapacity: number;
  /** Only pools that this group is part of are looked at. Absent: all. */
  readonly group?: string;
  /** What remains when it is refused, to end the reason with: "the release stays at checking of group1". */
  readonly stays: string;
}

/** Everything that speaks against a step forward into that routing; empty: nothing. */
export function guardRefusals(guarded: Guarded, facts: Facts, now: number): readonly Refusal[] {
  return [...freezeRefusals(facts.freeze, guarded.stays, now), ...capacityRefusals(guarded, facts)];
}

export function freezeRefusals(freeze: Freeze | undefined, stays: string, now: number): readonly Refusal[] {
  if (freeze === undefined || (freeze.until !== null && freeze.until <= now)) return [];
  const until =
    freeze.until === null ? "until it is lifted" : `for another ${durationInWords(freeze.until - now)}`;
  return [
    {
      code: "frozen",
      reason: `a freeze stops every step forward ${until}: ${freeze.reason}; ${stays}, a rollback is possible`,
    },
  ];
}

/**
 * Whether each pool of the public could carry its part: somebody lives there, enough of the app's weight does, and the
 * servers alive would not have to carry more than one was seen to carry.
 */
export function capacityRefusals(guarded: Guarded, facts: Facts): readonly Refusal[] {
  const { groups, stays } = guarded;
  const unknown = groups.filter(({ name }) => facts.groups[name] === undefined).map(({ name }) => name);
  if (unknown.length > 0) {
    const reason = `nothing is known of the servers of ${listInWords(unknown)}; expected how many live; ${stays}`;
    return [{ code: "noFacts", reason }];
  }
  const whole = capacityOf(
    groups.map(({ name }) => name),
    facts,
  ).weight;
  const pools = publicPools(guarded.routing, groups);
  return pools.flatMap((pool) => {
    if (guarded.group !== undefined && !pool.groups.includes(guarded.group)) return [];
    const capacity = capacityOf(pool.groups, facts);
    const found =
      lifeProblem(pool, capacity) ??
      weightProblem(pool, capacity, whole, guarded.minCapacity) ??
      rateProblem(pool, capacity, facts);
    return found === undefined ? [] : [{ code: found.code, reason: `${found.reason}; ${stays}` }];
  });
}

/** Of several groups together; what is not known counts as nothing. */
export function capacityOf(names: readonly string[], facts: Facts): GroupCapacity {
  const sum = { weight: 0, liveWeight: 0, servers: 0, live: 0 };
  for (const name of names) {
    const capacity = facts.groups[name];
    if (capacity === undefined) continue;
    sum.weight += capacity.weight;
    sum.liveWeight += capacity.liveWeight;
    sum.servers += capacity.servers;
    sum.live += capacity.live;
  }
  return sum;
}

function lifeProblem(pool: PublicPool, { live, liveWeight, servers }: GroupCapacity): Refusal | undefined {
  if (live > 0 && liveWeight > 0) return undefined;
  const reason = `${listInWords(pool.groups)} would carry ${partInWords(pool.load)}, but none of its ${servers} servers lives`;
  return { code: "nobodyLives", reason };
}

function weightProblem(
  pool: PublicPool,
  { liveWeight }: GroupCapacity,
  whole: number,
  minCapacity: number,
): Refusal | undefined {
  const needed = (minCapacity * pool.load) / 100;
  const found = (liveWeight * 100) / whole;
  if (found >= needed) return undefined;
  const reason =
    `${listInWords(pool.groups)} would carry ${partInWords(pool.load)} with a live weight of ` +
    `${numberInWords(liveWeight)} of ${numberInWords(whole)} (${numberInWords(found)} %); ` +
    `expected at least ${numberInWords(needed)} % (minCapacity ${numberInWords(minCapacity)} %)`;
  return { code: "minCapacity", reason };
}

function rateProblem(pool: PublicPool, { live }: GroupCapacity, facts: Facts): Refusal | undefined {
  const { peakPerServer, currentRate } = facts;
  if (peakPerServer === undefined || currentRate === undefined) return undefined;
  const rate = (currentRate * pool.load) / 100;
  if (live * peakPerServer >= rate) return undefined;
  const reason =
    `${listInWords(pool.groups)} would carry ${numberInWords(rate)} requests a second with ${live} servers; ` +
    `expected at most ${numberInWords(live * peakPerServer)}, as the most that one server is known to carry is ` +
    numberInWords(peakPerServer);
  return { code: "peak", reason };
}

function partInWords(load: number): string {
  return load === 100 ? "everybody" : `${numberInWords(load)} % of the clients`;
}
