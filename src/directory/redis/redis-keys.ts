/**
 * The names of all keys. Braces are a hash tag: in a cluster, what they hold decides the slot, so that one script may
 * touch several keys and one connection is told of all changes.
 */
export const APPS = "halftone:{apps}:app:";
/** Hash, app → revision: the index, and what a revision is never given below. */
export const REVISIONS = "halftone:{apps}:revisions";
/** Stream of changes, the newest `AUDIT_LENGTH` or so. */
export const AUDIT = "halftone:{apps}:audit";
/** Values that could not be read, moved out of the way of a write: name and second follow. */
export const ASIDE = "halftone:{apps}:aside:";
/** Hash, gateway → its newest report as JSON. */
export const GATEWAYS = "halftone:{apps}:gateways";
/** Hash, gateway → ms of Redis's clock when it came. */
export const BEATS = "halftone:{apps}:beats";
/** Hashes of one gateway each, app → what is in force there and its counters. */
export const IN_FORCE = "halftone:{apps}:in-force:";
/** Hash, app → the evidence on its release. */
export const VERDICTS = "halftone:{apps}:verdicts";
export const LOCK = "halftone:{apps}:lock:";
/** The newest token of a lock. */
export const FENCE = "halftone:{apps}:fence:";

export const AUDIT_LENGTH = "10000";
