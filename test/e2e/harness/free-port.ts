import { createServer } from "node:net";

/** A port that is free on all these addresses now: for scenarios in which a port must outlive the process that has it. */
export async function freePort(...hosts: readonly string[]): Promise<number> {
  const [first = "127.0.0.1", ...others] = hosts;
  for (;;) {
    const port = await probe(first, 0);
    if (port === undefined) throw new Error(`no free port on ${first}`);
    const same = await Promise.all(others.map((host) => probe(host, port)));
    if (!same.includes(undefined)) return port;
  }
}

function probe(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" ? bound?.port : undefined));
    });
  });
}
