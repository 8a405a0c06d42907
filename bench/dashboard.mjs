// What the dashboard costs a browser: 1,000 apps, some 200 events a second, a person who scrolls. Real gateway, real
// requests, real Chromium; nothing is asserted. `node bench/dashboard.mjs [--seconds 20]`
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setTimeout as delay } from "node:timers/promises";
import { chromium } from "playwright-core";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "20" } } });
const SECONDS = Number(values.seconds);
const APPS = 1000;
/** Each of them has traffic, hence an event a second. */
const BUSY = 200;
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--js-flags=--expose-gc",
];

const { startHalftone } = await import(new URL("../dist/app.js", import.meta.url).href);
const folder = mkdtempSync(join(tmpdir(), "halftone-bench-dashboard-"));
const server = createServer((_, response) => response.end("ok"));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const config = join(folder, "halftone.yaml");
writeFileSync(
  config,
  JSON.stringify({
    gateway: { listen: "127.0.0.1:0", workers: 0 },
    admin: { listen: "127.0.0.1:0" },
    directory: "memory:",
    apps: ["apps/*.json"],
  }),
);
const silent = { info() {}, warn() {}, error() {} };
const halftone = await startHalftone(config, silent);
const nameOf = (n) => `app-${String(n).padStart(4, "0")}`;
for (let n = 0; n < APPS; n += 1) {
  const port = server.address().port;
  const groups = { group1: { servers: [`127.0.0.1:${port}`] }, group2: { servers: [`127.0.0.2:${port}`] } };
  await halftone.store.put(
    nameOf(n),
    { name: nameOf(n), groups, routes: [{ host: `${nameOf(n)}.example.com` }] },
    "any",
    "bench",
  );
}
const gateway = Number(halftone.listen[0].split(":").at(-1));
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
let sent = 0;
const load = setInterval(() => {
  for (let n = 0; n < 8; n += 1) {
    sent += 1;
    request(
      { host: "127.0.0.1", port: gateway, agent, headers: { host: `${nameOf(sent % BUSY)}.example.com` } },
      (answer) => answer.resume(),
    )
      .on("error", () => {})
      .end();
  }
}, 20);
const changes = setInterval(() => {
  const app = nameOf(sent % APPS);
  void halftone.store.setDeploy(app, { deploy: 1, share: sent % 100 }, "any", "bench").catch(() => {});
}, 200);

const browser = await chromium.launch({
  executablePath: process.env.HALFTONE_CHROMIUM ?? "/usr/bin/chromium",
  args: ARGUMENTS,
});
const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
await page.goto(`${halftone.adminUrl}/?token=${halftone.token}`);
await page.getByText(`${APPS} of ${APPS}`).waitFor();
await delay(3000);
const session = await page.context().newCDPSession(page);
await session.send("Performance.enable", { timeDomain: "threadTicks" });
const busyBefore = await busyTimes();
await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline"] });
const measured = await page.evaluate(`(async (seconds) => {
  const frames = [];
  let events = 0;
  const source = new EventSource("/api/v1/events");
  for (const type of ["app", "release", "server", "gateway", "traffic"]) source.addEventListener(type, () => (events += 1));
  const begun = performance.now();
  let last = begun;
  await new Promise((resolve) => {
    const frame = (now) => {
      frames.push(now - last);
      last = now;
      // Down and up again, as quickly as a wheel goes.
      const height = document.documentElement.scrollHeight - innerHeight;
      const part = ((now - begun) / 10000) % 2;
      scrollTo(0, height * (part < 1 ? part : 2 - part));
      if (now - begun < seconds * 1000) requestAnimationFrame(frame);
      else resolve();
    };
    requestAnimationFrame(frame);
  });
  source.close();
  frames.sort((one, other) => one - other);
  const at = (part) => frames[Math.min(frames.length - 1, Math.floor(frames.length * part))];
  return { frames: frames.length, events: events / seconds, median: at(0.5), p99: at(0.99), worst: at(1), elements: document.querySelectorAll("*").length };
})(${SECONDS})`);
const worst = worstTask(JSON.parse(String(await browser.stopTracing())));
const busy = await busyTimes();
await session.send("HeapProfiler.collectGarbage");
const { usedSize } = await session.send("Runtime.getHeapUsage");
const ms = (value) => `${value.toFixed(1)} ms`;
console.log(`${APPS} apps, ${measured.events.toFixed(0)} events a second, ${SECONDS} s of scrolling`);
console.log(
  `frames    ${measured.frames}, median ${ms(measured.median)}, p99 ${ms(measured.p99)}, worst ${ms(measured.worst)}`,
);
const shares = Object.keys(busy).map(
  (name) => `${name} ${ms(((busy[name] - busyBefore[name]) * 1000) / measured.frames)}`,
);
console.log(`of a processor, a frame: ${shares.join(", ")}`);
console.log(`tasks     the longest took ${ms(worst.wall)}, ${ms(worst.own)} of them on a processor`);
console.log(`heap      ${(usedSize / 2 ** 20).toFixed(1)} MiB after a collection`);
console.log(`elements  ${measured.elements}`);

/** The task of the page's main thread that took most of a processor, in ms: what others do on the machine is not in it. */
function worstTask({ traceEvents }) {
  const threads = traceEvents.filter(
    ({ name, args }) => name === "thread_name" && args.name === "CrRendererMain",
  );
  const mains = new Set(threads.map(({ pid, tid }) => `${pid}:${tid}`));
  return traceEvents
    .filter(({ ph, name, pid, tid }) => ph === "X" && name.endsWith("RunTask") && mains.has(`${pid}:${tid}`))
    .map(({ dur, tdur = 0 }) => ({ wall: dur / 1000, own: tdur / 1000 }))
    .reduce((worst, task) => (task.own > worst.own ? task : worst), { wall: 0, own: 0 });
}

/** Seconds of the main thread so far. */
async function busyTimes() {
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return {
    all: of("TaskDuration"),
    script: of("ScriptDuration"),
    layout: of("LayoutDuration"),
    style: of("RecalcStyleDuration"),
  };
}

await browser.close();
clearInterval(load);
clearInterval(changes);
agent.destroy();
await halftone.stop();
server.closeAllConnections();
server.close();
rmSync(folder, { recursive: true, force: true });
