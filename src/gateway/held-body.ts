/** Bytes of a request body that are kept so that the request can be sent again. */
const HOLD_LIMIT = 64 * 1024;

// What a held piece costs besides its bytes; keeps a body of one-byte chunks from growing memory.
const PIECE_COST = 64;

/**
 * The part of a request body that was received: as it goes on the wire, from its first byte while it is short enough
 * to be replayed, else only what no server has been sent yet.
 */
export class HeldBody {
  /** The pieces from the first one on are all here: another server can be sent the same. */
  replayable = true;
  private pieces: (string | Buffer)[] = [];
  private cost = 0;

  get full(): boolean {
    return this.cost > HOLD_LIMIT;
  }

  push(piece: string | Buffer): void {
    this.pieces.push(piece);
    this.cost += piece.length + PIECE_COST;
  }

  /** What has to be written to a server that is sent the request now. */
  all(): readonly (string | Buffer)[] {
    return this.pieces;
  }

  /** Too long to be replayed, and a server has it all: forget it. */
  drop(): void {
    this.replayable = false;
    this.pieces = [];
    this.cost = 0;
  }
}
