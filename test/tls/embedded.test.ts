import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { connect } from "node:tls";
import { createGateway } from "../../src/create-gateway.ts";
import { get, ok } from "../gateway/harness.ts";
import { Authority, replaceBy, temporaryFolder } from "./certificates.ts";
import { SecurePeer, secureUpstream, serveSecurely } from "./secure-gateway.ts";

const folder = temporaryFolder(afterAll);
const authority = new Authority(folder);

describe("createGateway", () => {
  it("takes and speaks TLS, and renews its certificates when told", async () => {
    const [place, inner] = [
      authority.issue("a", { names: "DNS:a.test" }),
      authority.issue("b", { names: "DNS:b.test" }),
    ];
    const server = await secureUpstream({ certificate: inner }, serveSecurely(ok("served")));
    const gateway = createGateway({
      listen: { address: "127.0.4.251:0", tls: { certificates: [{ cert: place.cert, key: place.key }] } },
      serverTls: { inner: { ca: authority.ca, serverName: "b.test" } },
      apps: [{ name: "a", tls: "inner", groups: { g: { servers: [server.address] } } }],
    });
    const [address = ""] = await gateway.listen();
    onTestFinished(() => gateway.close().then(() => {}));
    const open = async (): Promise<SecurePeer> => {
      const [host = "", port] = address.split(":");
      const socket = connect({ host, port: Number(port), ca: authority.pem, servername: "a.test" });
      onTestFinished(() => void socket.destroy());
      await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
      return new SecurePeer(socket);
    };
    const peer = await open();
    peer.send(get());
    expect((await peer.message()).body).toBe("served");
    replaceBy(place, authority.issue("renewed", { names: "DNS:a.test" }));
    await gateway.renewTls();
    expect((await open()).shown).toBe("renewed");
    replaceBy(place, { cert: inner.cert, key: place.key });
    await expect(gateway.renewTls()).rejects.toThrow("the key of another certificate");
    expect((await open()).shown).toBe("renewed");
  });

  it("names the file that keeps it from listening", async () => {
    const gateway = createGateway({
      listen: [
        { address: "127.0.4.251:0", tls: { certificates: [{ cert: "/nowhere.pem", key: "/nowhere.key" }] } },
      ],
    });
    await expect(gateway.listen()).rejects.toThrow("/nowhere.pem: found no file");
  });
});
