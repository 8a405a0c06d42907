// A gateway with a dozen apps in every state that the dashboard shows: real servers, real load, real releases.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const VERDICT = { window: "1s", warmUp: "1s", notWorseThan: 3, acceptable: 1 };
const BY_PERSON = { checks: 1, slowStart: "1s", drain: "5s", minCapacity: 30, verdict: VERDICT };

/** What each app does: requests a second, part of them that fail, ms that an answer takes. */
const APPS = [
  { name: "checkout", rate: 90, failing: 0.001, slow: 18 },
  { name: "catalogue", rate: 60, failing: 0, slow: 9 },
  { name: "search", rate: 45, failing: 0.002, slow: 35 },
  { name: "accounts", rate: 30, failing: 0, slow: 12 },
  { name: "payments", rate: 22, failing: 0, slow: 40 },
  { name: "images", rate: 40, failing: 0, slow: 5 },
  { name: "mail", rate: 6, failing: 0, slow: 60 },
  { name: "reviews", rate: 14, failing: 0.04, slow: 22 },
  { name: "recommendations", rate: 18, failing: 0, slow: 30 },
  { name: "sessions", rate: 50, failing: 0, slow: 3 },
  { name: "shipping", rate: 9, failing: 0, slow: 25 },
  { name: "wishlist", rate: 3, failing: 0, slow: 14 },
];

/** Starts everything; `close` ends it and removes what it made. */
export async function openShow() {
  const { startHalftone } = await import(new URL("../dist/app.js", import.meta.url).href);
  const folder = mkdtempSync(join(tmpdir(), "halftone-show-"));
  const servers = [];
  const documents = [];
  for (const [index, app] of APPS.entries()) {
    const groups = {};
    for (const group of [1, 2]) {
      const addresses = [];
      for (const n of [1, 2, 3])
        addresses.push(await startServer(servers, app, `127.${20 + index}.${group}.${n}`));
      groups[`group${group}`] = { servers: addresses };
    }
    documents.push({
      name: app.name,
      routes: [{ host: `${app.name}.example.com` }],
      groups,
      testers: ["10.9.0.0/16", { header: "x-tester", equals: "1" }, { cookie: "beta", equals: "yes" }],
      stickiness: [{ cookie: "uid" }, "address"],
      release: BY_PERSON,
    });
  }
  writeFileSync(join(folder, "apps.json"), JSON.stringify(documents[0]));
  const config = join(folder, "halftone.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      name: "gateway-1",
      gateway: { listen: "127.0.0.1:0", workers: 0 },
      admin: { listen: "127.0.0.1:0" },
      directory: "memory:",
    }),
  );
  const silent = { info() {}, warn() {}, error() {} };
  const halftone = await startHalftone(config, silent);
  const api = caller(halftone);
  for (const document of documents) await api("PUT", `/apps/${document.name}`, document, { "If-Match": "*" });
  const stop = startVisitors(Number(halftone.listen[0].split(":").at(-1)));
  return {
    halftone,
    api,
    reach: (app, condition) => reach(api, app, condition),
    close: async () => {
      await stop();
      await halftone.stop();
      for (const server of servers) server.close();
      for (const server of servers) server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Brings the releases to where the pictures show them. */
export async function playShow({ api, reach }) {
  const start = (app, version, steps) => api("POST", `/apps/${app}/release`, { version, steps });
  const say = (app, word, body) => api("POST", `/apps/${app}/release/${word}`, body ?? {});
  const waits = ({ waitingFor }) => waitingFor === "continue";
  const upTo = async (app, phase) => {
    for (;;) {
      const view = await reach(app, (view) => waits(view) || view.phase === phase);
      if (view.phase === phase) return;
      await say(app, "continue");
    }
  };
  const shares = [
    { testers: "1s" },
    { share: 5, for: "2s" },
    { share: 25, until: "verdict", atMost: "30m" },
    { share: 50, until: "continue" },
    { share: 100, until: "continue" },
    { hold: "wait" },
  ];
  const held = [
    { testers: "wait" },
    { share: 50, until: "continue" },
    { share: 100, for: "1s" },
    { hold: "wait" },
  ];
  await start("checkout", "2.4.0", shares);
  await start("search", "9.1", held);
  await start("payments", "3.0.2", held);
  await start("images", "1.8", held);
  await start("accounts", "5.2", held);
  await start("sessions", "7.0", [{ share: 100, for: "1s" }]);
  await upTo("checkout", "shifting");
  await upTo("search", "testing");
  await upTo("payments", "holding");
  await upTo("images", "shifting");
  await say("images", "pause", { reason: "the cache is cold, look again after lunch" });
  await upTo("accounts", "shifting");
  await say("accounts", "rollback", { reason: "logins of partners fail" });
  await upTo("sessions", "done");
  await api("PUT", "/apps/recommendations/deploy", { deploy: 1, share: 12.5 });
  await api("PUT", "/apps/mail/freeze", { reason: "quarter end", for: "8h" });
}

async function startServer(servers, { failing, slow }, host) {
  const server = createServer((request, response) => {
    const took = slow * (0.6 + Math.random() * 0.9) * (Math.random() < 0.02 ? 4 : 1);
    setTimeout(() => {
      response.statusCode = request.url === "/" && Math.random() < failing ? 500 : 200;
      response.end("ok");
    }, took);
  });
  await new Promise((resolve) => server.listen(0, host, resolve));
  servers.push(server);
  return `${host}:${server.address().port}`;
}

/** Everybody has a cookie of their own, so that each has a place in the draw. */
function startVisitors(port) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let count = 0;
  const timers = APPS.map(({ name, rate }) =>
    setInterval(() => {
      count += 1;
      const headers = { host: `${name}.example.com`, cookie: `uid=${count % 20_000}` };
      request({ host: "127.0.0.1", port, agent, headers }, (response) => response.resume())
        .on("error", () => {})
        .end();
    }, 1000 / rate),
  );
  return async () => {
    for (const timer of timers) clearInterval(timer);
    agent.destroy();
  };
}

function caller(halftone) {
  return async (method, path, body, headers = {}) => {
    const answer = await fetch(`${halftone.adminUrl}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${halftone.token}`, "Content-Type": "application/json", ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const value = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(value)}`);
    return value;
  };
}

async function reach(api, app, condition) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const view = await api("GET", `/apps/${app}/release`);
    if (condition(view)) return view;
    if (Date.now() > deadline) throw new Error(`${app} stands at ${JSON.stringify(view)}`);
    await delay(100);
  }
}
