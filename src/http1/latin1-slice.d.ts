/**
 * Node has had this method since long before its documentation; its type came with @types/node 22. It is
 * `toString("latin1", start, end)` without the dispatch on the encoding: 60 instead of 70 ns for a dozen bytes.
 */
interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> extends Uint8Array<TArrayBuffer> {
  latin1Slice(start: number, end: number): string;
}
