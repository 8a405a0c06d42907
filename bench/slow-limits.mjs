// @ts-check
/** Time limits of the gateway under slow clients, in seconds: shortened, that a run ends in three minutes. */
export const LIMITS = { header: 5, idle: 5 };
