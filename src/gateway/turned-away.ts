import type { Socket } from "node:net";
import type { Clock, Deadlined } from "./clock.ts";
import { countError } from "./gateway-counters.ts";
import { tooManyConnections } from "./gateway-error.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { ownAnswer } from "./own-answer.ts";

/** How long a client that was turned away may take to read that. */
const TIME = 2000;
/** So many may be told at once; beyond that they are closed without a word, which costs nothing. */
const MOST = 256;

let present = 0;

/**
 * A connection over the limit: whatever it asks, it is told so at once, and closed when it has read it. What it sends
 * meanwhile is taken in, as closing over unread bytes would reset the connection and take the answer with it.
 */
class TurnedAway implements Deadlined {
  deadline: number;
  clockSlot = -1;
  private readonly socket: Socket;
  private readonly clock: Clock;

  constructor(context: GatewayContext, socket: Socket) {
    this.socket = socket;
    this.clock = context.clock;
    this.deadline = this.clock.now + TIME;
    present++;
    socket.on("error", () => {});
    socket.on("close", () => this.onClose());
    socket.on("end", () => socket.end());
    // Not before it asks: some clients take an answer to nothing for a fault of the connection.
    socket.once("data", () => {
      const { httpDate } = this.clock;
      const requestId = context.requestIds.next();
      const frame = { requestId, group: undefined, httpDate, html: false, head: false };
      socket.end(ownAnswer(tooManyConnections, frame, true), "latin1");
    });
    socket.resume();
  }

  onDeadline(): void {
    this.socket.destroy();
  }

  private onClose(): void {
    present--;
    this.clock.unwatch(this);
  }
}

/** `most`: how many may be told at once as far as descriptors go; 0 where the client could not read it. */
export function turnAway(context: GatewayContext, socket: Socket, most: number): void {
  countError(context.counters, tooManyConnections.code);
  if (present < Math.min(most, MOST)) context.clock.watch(new TurnedAway(context, socket));
  else socket.destroy();
}
