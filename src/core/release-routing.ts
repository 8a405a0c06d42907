/**
 * Who is sent where during a release: what gateways apply.
 *
 * - `deploy` 0: everybody to all groups but those that stand by.
 * - `deploy` k: testers to the k-th group if `testing`, `share` percent of the other clients there too, everybody else
 *   to all groups but the k-th and those that stand by.
 */
export interface Routing {
  /** The group under test, from 1 in the app's order; 0: none. */
  readonly deploy: number;
  readonly share: number;
  /** False: nobody is sent to the group under test, testers included. */
  readonly testing: boolean;
  /** Names of groups that live but take nobody: they run another version than the public is on. */
  readonly standby: readonly string[];
}

/** Where a group stands in the app's order. */
export interface PlacedGroup {
  readonly name: string;
  /** From 1: the value of `deploy` that puts it under test. */
  readonly deploy: number;
}

/** Groups that serve a part of the public together. */
export interface PublicPool {
  readonly groups: readonly string[];
  /** Percentage of the public, more than 0. */
  readonly load: number;
}

/** Everybody to every group: before a release and after it. */
export const ALL_SERVE: Routing = { deploy: 0, share: 0, testing: true, standby: [] };

/** Which groups serve the public, and how much of it. Testers are none of it. */
export function publicPools(routing: Routing, groups: readonly PlacedGroup[]): readonly PublicPool[] {
  const rest = groups.filter(
    ({ name, deploy }) => deploy !== routing.deploy && !routing.standby.includes(name),
  );
  const test = groups.filter(({ deploy }) => deploy === routing.deploy);
  const pools = [
    { groups: namesOf(test), load: routing.deploy === 0 ? 0 : routing.share },
    { groups: namesOf(rest), load: routing.deploy === 0 ? 100 : 100 - routing.share },
  ];
  return pools.filter(({ load }) => load > 0);
}

/** How far the group whose turn it is takes part. */
export type Openness = "closed" | "testers" | { readonly share: number } | "merged";

/**
 * The routing while it is the turn of `groups[turn]`, groups in the order in which they are visited. From the second
 * turn on those not updated yet stand by: everybody is on the new version by then, and nobody goes back.
 */
export function routingAtTurn(groups: readonly PlacedGroup[], turn: number, openness: Openness): Routing {
  const standby = turn === 0 ? [] : namesOf(groups.slice(turn + 1));
  if (openness === "merged") return { ...ALL_SERVE, standby };
  return {
    deploy: groups[turn]!.deploy,
    share: typeof openness === "object" ? openness.share : 0,
    testing: openness !== "closed",
    standby,
  };
}

/** The routing in which nobody is sent to `group`, and the public to those named in `serving` alone. */
export function routingWithout(
  groups: readonly PlacedGroup[],
  group: PlacedGroup,
  serving: readonly string[],
): Routing {
  const standby = groups.filter(({ name }) => name !== group.name && !serving.includes(name));
  return { deploy: group.deploy, share: 0, testing: false, standby: namesOf(standby) };
}

export function sameRouting(a: Routing, b: Routing): boolean {
  return (
    a.deploy === b.deploy &&
    a.share === b.share &&
    a.testing === b.testing &&
    a.standby.length === b.standby.length &&
    a.standby.every((name, index) => name === b.standby[index])
  );
}

function namesOf(groups: readonly PlacedGroup[]): readonly string[] {
  return groups.map(({ name }) => name);
}
