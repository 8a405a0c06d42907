import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { app, eventually, startGateway, type GatewayUnderTest, type Message } from "../gateway/harness.ts";

const CONFIG = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events {}
http {
  access_log off;
  server {
    listen unix:nginx.sock;
    keepalive_requests 100000;
    location / { return 200 "$request_method $uri $http_host $http_content_length"; }
    location /public/files/ { alias ./; }
  }
}
`;

/** nginx behind a gateway that routes nothing but /public to it. */
async function nginxBehindGateway(): Promise<GatewayUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), "halftone-nginx-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const socket = join(folder, "nginx.sock");
  await writeFile(
    join(folder, "nginx.conf"),
    CONFIG.replace("nginx.sock", socket).replace("alias ./", `alias ${folder}/`),
  );
  await writeFile(join(folder, "a.txt"), "0123456789");
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin`;
  const nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], {
    env: { ...process.env, PATH: path },
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => nginx.once("close", () => resolve()));
  onTestFinished(async () => {
    nginx.kill("SIGTERM");
    await ended;
  });
  // Written when it listens.
  await eventually(() => existsSync(join(folder, "nginx.pid")), "nginx");
  return startGateway({ apps: [app([`unix:${socket}`], { routes: [{ path: "/public" }] })] });
}

const ESCAPES = [
  "/public/../admin",
  "/public/%2e%2e/admin",
  "/public/.%2E/admin",
  "/public/./../admin",
  "/public//../admin",
  "/public/..%2fadmin",
  "/public/%2e%2e%2fadmin",
  "/public%2f..%2fadmin",
  "/public/..;/admin",
  "/public\\..\\admin",
  "/public/..\\admin",
  "/public/..%5cadmin",
  "/public/a/../../admin",
  "/public/%00/../admin",
  "/public/%252e%252e/admin",
  "http://a/public/../admin",
  "//public/../admin",
  "/./public/../admin",
  "/../public/../admin",
  "/admin",
];

describe("nginx behind the gateway", () => {
  it("never takes a request for another path than the gateway did", async () => {
    const { client } = await nginxBehindGateway();
    for (const target of ESCAPES) {
      const peer = await client();
      peer.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const { status, body } = await peer.message();
      if (status === 200) expect(body, target).toMatch(/^GET \/public\//);
      else expect([400, 404], target).toContain(status);
      peer.socket.destroy();
    }
  });

  it("and the gateway agree on where bodies end", async () => {
    const { client } = await nginxBehindGateway();
    const peer = await client();
    const to = (start: string, rest: string): string => `${start} HTTP/1.1\r\nHost: a\r\n${rest}`;
    const smuggled = to("GET /public/evil", "\r\n");
    for (let i = 0; i < 20; i++) {
      peer.send(
        to("POST /public/1", `Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`) +
          to("GET /public/2", `Content-Length: 5\r\n\r\nabcde`) +
          to("POST /public/3", `Transfer-Encoding: chunked\r\n\r\n5;a\r\nGET /\r\n0\r\nX: y\r\n\r\n`) +
          to("GET /public/4", "\r\n"),
      );
      const answers: Message[] = [];
      for (let k = 0; k < 4; k++) answers.push(await peer.message());
      expect(answers.map(({ body }) => body)).toEqual([
        `POST /public/1 a ${smuggled.length}`,
        "GET /public/2 a 5",
        "POST /public/3 a ",
        "GET /public/4 a ",
      ]);
    }
    expect(peer.received).toBe("");
  });

  it("is relayed as it is: HEAD, a part, 304", async () => {
    const { client } = await nginxBehindGateway();
    const peer = await client();
    const ask = async (method: string, fields: string): Promise<Message> => {
      peer.send(`${method} /public/files/a.txt HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
      return peer.message(method === "HEAD");
    };
    const whole = await ask("GET", "");
    expect([whole.status, whole.body]).toEqual([200, "0123456789"]);
    expect((await ask("HEAD", "")).field("content-length")).toBe("10");
    const part = await ask("GET", "Range: bytes=2-4\r\n");
    expect([part.status, part.body, part.field("content-range")]).toEqual([206, "234", "bytes 2-4/10"]);
    expect((await ask("GET", `If-None-Match: ${whole.field("etag") ?? ""}\r\n`)).status).toBe(304);
    expect((await ask("GET", "")).body).toBe("0123456789");
  });
});
