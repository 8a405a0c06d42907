// @ts-check
// A gateway in a process of its own, which tells how much heap is used when it is asked: run by allocations.test.ts with
// the arguments of pieces.mjs, and the address of a server.
import { createGateway } from "../../dist/create-gateway.js";
import { collect } from "./bytes-per-call.mjs";

const gateway = createGateway({
  listen: "127.0.0.1:0",
  apps: [{ name: "shop", groups: { group1: { servers: [process.argv[2]] } } }],
});
const [address] = await gateway.listen();
process.on("message", (wish) => {
  if (wish === "collect") collect();
  process.send?.(process.memoryUsage().heapUsed);
});
process.send?.(address);
