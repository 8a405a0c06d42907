/** How far evidence is on its way to what is needed. Plain JSON. */
export interface Meter {
  /**
   * E. 1 is none; where the hypothesis holds, the chance that E ever gets this high is at most one in E. At most 1e300, so
   * that it stays a number in JSON.
   */
  readonly evidence: number;
  readonly needed: number;
  /** The way that is done, 0 to 1, by logarithms: about in proportion to what was counted. */
  readonly part: number;
}

const LN_MOST = Math.log(1e300);

/** `miss`: the chance of a wrong verdict that is allowed, more than 0 and less than 1; 1/miss is needed. */
export function meter(lnEvidence: number, miss: number): Meter {
  const lnNeeded = -Math.log(miss);
  return {
    evidence: Math.exp(Math.min(lnEvidence, LN_MOST)),
    needed: 1 / miss,
    part: Math.min(1, Math.max(0, lnEvidence / lnNeeded)),
  };
}

export function isFull({ part }: Meter): boolean {
  return part >= 1;
}
