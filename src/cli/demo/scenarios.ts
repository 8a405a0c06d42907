/** What a version does wrong. Parts are 0 to 1. */
export interface Fault {
  /** Part of the requests that are answered by 500. */
  readonly errors?: number;
  /** Part that takes `slowBy` ms longer. */
  readonly slow?: number;
  readonly slowBy?: number;
  /** Only on the first server of each group. */
  readonly oneServer?: boolean;
}

/** A version that can be released, and what is to be seen then. */
export interface Scenario {
  readonly id: string;
  /** Key of the terminal. */
  readonly key: string;
  readonly title: string;
  readonly expect: string;
  readonly fault: Fault;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    id: "good",
    key: "1",
    title: "release a good version",
    expect: "It is proven not worse at 50 %, and goes on by itself.",
    fault: {},
  },
  {
    id: "errors",
    key: "2",
    title: "one with 3 % errors",
    expect: "It is found worse after some errors, and goes back by itself.",
    fault: { errors: 0.03 },
  },
  {
    id: "slow-tail",
    key: "3",
    title: "one with a slow tail",
    expect: "One answer in ten takes 100 ms longer: slow answers are found more often, and it goes back.",
    fault: { slow: 0.1, slowBy: 100 },
  },
  {
    id: "broken-server",
    key: "4",
    title: "one broken server",
    expect: "Half of the answers of one server are errors: it goes into quarantine, and the release goes on.",
    fault: { errors: 0.5, oneServer: true },
  },
];
