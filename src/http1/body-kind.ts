/** How the end of a body is found (RFC 9112 6.3). */
export const BodyKind = { NONE: 0, LENGTH: 1, CHUNKED: 2, UNTIL_CLOSE: 3 } as const;
export type BodyKind = (typeof BodyKind)[keyof typeof BodyKind];
