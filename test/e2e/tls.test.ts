import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { Peer } from "../gateway/harness.ts";
import { Authority, replaceBy, temporaryFolder, type MadeCertificate } from "../tls/certificates.ts";
import { startBackend, type Backend } from "./harness/backend.ts";
import { runCli } from "./harness/cli.ts";
import { createSite, isRunning, type HalftoneProcess, type Site } from "./harness/halftone-process.ts";
import { openScene, type Scene } from "./harness/scene.ts";
import { until } from "./harness/until.ts";

const folder = temporaryFolder(afterAll);
const authority = new Authority(folder);
let made = 0;

function issue(name: string): MadeCertificate {
  return authority.issue(`${name}-${++made}`, { subject: `/CN=${name}`, names: "DNS:shop.test" });
}

const SHOP = (backend: Backend): object => ({
  name: "shop",
  groups: { only: { servers: [`${backend.address}:${backend.port}`] } },
});

function listening({ cert, key }: MadeCertificate, workers: number = 2): Readonly<Record<string, unknown>> {
  return { listen: { address: "127.0.0.1:0", tls: { certificates: [{ cert, key }] } }, workers };
}

async function start(
  scene: Scene,
  certificate: MadeCertificate,
): Promise<{ halftone: HalftoneProcess; site: Site; backend: Backend }> {
  const backend = await startBackend(scene, "127.0.4.61");
  const site = await createSite(scene, { gateway: listening(certificate) });
  const halftone = await site.start();
  await halftone.put("shop", SHOP(backend));
  return { halftone, site, backend };
}

interface Secured {
  readonly socket: TLSSocket;
  readonly peer: Peer;
  readonly shown: string;
  readonly session: () => Buffer | undefined;
}

async function open(halftone: HalftoneProcess, session?: Buffer): Promise<Secured> {
  const socket = connect({
    host: "127.0.0.1",
    port: halftone.gatewayPort,
    ca: authority.pem,
    servername: "shop.test",
    ...(session !== undefined && { session }),
  });
  const peer = new Peer(socket);
  let newest: Buffer | undefined;
  socket.on("session", (given) => (newest = given));
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return { socket, peer, shown: String(socket.getPeerCertificate().subject?.CN), session: () => newest };
}

async function get({ peer }: Secured): Promise<number> {
  peer.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  return (await peer.message()).status;
}

/** Twenty connections in a row, over both workers, are shown this certificate. */
async function everybodySees(halftone: HalftoneProcess, name: string): Promise<void> {
  await until(`${name} in every worker`, async () => {
    for (let i = 0; i < 20; i++) {
      const secured = await open(halftone);
      secured.socket.destroy();
      if (secured.shown !== name) return false;
    }
    return true;
  });
}

describe("TLS with two workers", () => {
  it("resumes a session whichever worker it meets", async () => {
    const scene = openScene(onTestFinished);
    const { halftone, backend } = await start(scene, issue("shop"));
    const first = await open(halftone);
    expect(await get(first)).toBe(200);
    const session = await until("a session", first.session);
    // The ids of one worker begin alike.
    const workers = (): ReadonlySet<string | undefined> =>
      new Set(backend.taken.map(({ headers }) => String(headers["x-request-id"]).split("-")[0]));
    await until("requests to both workers", async () => {
      const resumed = await open(halftone, session);
      expect(resumed.socket.isSessionReused()).toBe(true);
      expect(await get(resumed)).toBe(200);
      resumed.socket.destroy();
      return workers().size === 2;
    });
  });

  it("swaps certificates when their files change, keeps connections, and keeps the old for a broken file", async () => {
    const scene = openScene(onTestFinished);
    const place = issue("before");
    const { halftone } = await start(scene, place);
    const standing = await open(halftone);
    expect(await get(standing)).toBe(200);
    replaceBy(place, issue("after"));
    await everybodySees(halftone, "after");
    expect(await get(standing)).toBe(200);

    writeFileSync(place.cert, "-----BEGIN CERTIFICATE-----\nAAAA");
    await halftone.logged(/a certificate that breaks off.*stays in force/);
    await everybodySees(halftone, "after");

    // A worker that starts now has what the others have.
    rmSync(place.key);
    const [victim = 0] = halftone.workers();
    process.kill(victim, "SIGKILL");
    await until("the worker's end", () => !isRunning(victim));
    await until("another worker", () => halftone.workers().length === 2);
    await everybodySees(halftone, "after");
    expect(halftone.output).not.toContain("PRIVATE KEY");
  });

  it("refuses a reload with a file that cannot be used, as a whole, and takes it when it can", async () => {
    const scene = openScene(onTestFinished);
    const { halftone, site } = await start(scene, issue("old"));
    const [next, other] = [issue("next"), issue("other")];
    await site.configure({ gateway: listening({ ...next, key: other.key }, 1) });
    halftone.kill("SIGHUP");
    const refused = await halftone.logged(/reload refused/);
    expect(refused.msg).toContain(`${other.key}: found the key of another certificate`);
    await everybodySees(halftone, "old");
    expect(halftone.workers()).toHaveLength(2);
    await site.configure({ gateway: listening(next) });
    halftone.kill("SIGHUP");
    await halftone.logged(/"reloaded"/);
    await everybodySees(halftone, "next");
  });
});

describe("what is wrong with TLS", () => {
  it("keeps the gateway from starting, and is found by the check", async () => {
    const scene = openScene(onTestFinished);
    const shop = issue("shop");
    const key = join(await scene.folder(), "locked.key");
    writeFileSync(key, "nothing");
    const site = await createSite(scene, {
      gateway: listening({ ...shop, key }),
      serverTls: { internal: { ca: "gone.pem" } },
      apps: ["./apps/shop.yaml"],
    });
    writeFileSync(
      join(site.folder, "apps", "shop.yaml"),
      "{name: shop, tls: other, groups: {g: {servers: [h]}}}",
    );
    await expect(site.start()).rejects.toThrow(`${key}: found no private key`);
    const checked = await runCli(["check", "-c", site.configFile], { cwd: site.folder });
    expect(checked.code).toBe(1);
    expect(checked.stderr).toContain(`${key}: found no private key`);
    expect(checked.stderr).toContain(`${join(site.folder, "gone.pem")}: found no file`);
    expect(checked.stderr).toMatch(
      /shop\.yaml: tls: found "other", expected a name of serverTls in halftone\.yaml: internal/,
    );
  });

  it("is told of an app that names an unknown way, until a reload knows it", async () => {
    const scene = openScene(onTestFinished);
    const site = await createSite(scene, { gateway: { workers: 1 } });
    const halftone = await site.start();
    await halftone.put("shop", {
      name: "shop",
      tls: "internal",
      groups: { g: { servers: ["127.0.4.62:1"] } },
    });
    await halftone.logged(/its requests are answered 503: tls: found .*internal/);
    const answer = await fetch(`http://127.0.0.1:${halftone.gatewayPort}/`);
    expect([answer.status, answer.headers.get("x-halftone-error")]).toEqual([503, "tls_unknown"]);
    await site.configure({ gateway: { workers: 1 }, serverTls: { internal: { ca: authority.ca } } });
    halftone.kill("SIGHUP");
    await halftone.logged(/"reloaded"/);
    const after = await fetch(`http://127.0.0.1:${halftone.gatewayPort}/`);
    expect([after.status, after.headers.get("x-halftone-error")]).toEqual([502, "connect_failed"]);
  });
});
