import { writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { startBackend, type Backend } from "../e2e/harness/backend.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { ARGUMENTS, EXECUTABLE } from "./harness/chromium.ts";
import { PROTOCOLS, startFront, type Front, type Protocol } from "./harness/front.ts";
import { serve, type Sunk } from "./harness/origin.ts";
import { patternOf, PERIOD } from "./harness/pattern.ts";

const MIB = 1024 * 1024;
/** Of the large bodies, in MiB. HALFTONE_INTEROP_MIB=1024 for the long run by hand. */
const SIZE: number = Number(process.env["HALFTONE_INTEROP_MIB"] ?? 64) * MIB;
const PATIENCE = 30_000 + SIZE / 20_000;
const RESOURCES = 100;

/** A page that loads scripts, images, style sheets and data, each of which counts itself. */
const PAGE = `<!doctype html><title>loading</title><link rel="icon" href="data:,">
${Array.from({ length: RESOURCES / 2 }, (_, n) => `<script src="/asset/${n}.js"></script><img src="/asset/${n}.svg">`).join("\n")}
<script>window.onload = () => { document.title = "loaded"; };</script>`;

describe("Chromium", () => {
  const scene = openScene(afterAll);
  let browser: Browser;
  let backend: Backend;
  let front: Front;
  let folder: string;
  /** Events that the page has told the server it got. */
  let told: string[] = [];
  /** Last-Event-ID of each connection of an EventSource. */
  let sources: (string | undefined)[] = [];
  let source: ServerResponse | undefined;
  /** Bytes of the large download that the server has written. */
  let written: () => number = () => 0;
  /** What the large upload is not read before. */
  let hold: Promise<void> = Promise.resolve();

  beforeAll(async () => {
    backend = await startBackend(scene, "127.0.4.38", answer);
    const server = new WebSocketServer({ server: backend.server });
    scene.defer(() => server.close());
    server.on("connection", (tunnel) => {
      tunnel.on("error", () => {});
      tunnel.on("message", (data, binary) => tunnel.send(data, { binary }));
    });
    front = await startFront(scene, [`127.0.4.38:${backend.port}`]);
    folder = await scene.folder();
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: [...ARGUMENTS] });
    scene.defer(() => browser.close());
  });

  function answer(request: IncomingMessage, response: ServerResponse): unknown {
    const { pathname, searchParams } = new URL(request.url!, "http://origin");
    if (pathname === "/page") return response.setHeader("content-type", "text/html").end(PAGE);
    if (pathname === "/blank") {
      return response.setHeader("content-type", "text/html").end("<!doctype html><title>blank</title>");
    }
    if (pathname.startsWith("/asset/")) return serveAsset(pathname, response);
    if (pathname === "/told") {
      told.push(searchParams.get("event")!);
      return response.end();
    }
    if (pathname === "/events") {
      sources.push(request.headers["last-event-id"] as string | undefined);
      source = response;
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      return response.write("retry: 10\n\n");
    }
    if (pathname === "/form") return sinkForm(request, response);
    if (pathname === "/pattern") {
      written = countFrom(response.socket!);
      // Else Chromium takes in 64 MiB that nobody has asked it for.
      response.setHeader("cache-control", "no-store");
    }
    if (pathname === "/sink") {
      return hold.then(() => serve(request, response)).catch(() => response.destroy());
    }
    return serve(request, response).catch(() => response.destroy());
  }

  async function open(protocol: Protocol, path: string): Promise<Page> {
    // Each test begins with empty caches and no connections of the test before.
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(front.origin(protocol) + path);
    return page;
  }

  describe.each(PROTOCOLS)("by %s", (protocol) => {
    it(`loads a page with ${RESOURCES} resources`, async () => {
      const page = await open(protocol, "/page");
      await page.waitForFunction('document.title === "loaded"');
      const seen = await page.evaluate(`({
        scripts: window.count,
        images: [...document.images].filter((image) => image.naturalWidth === 7).length,
        protocols: [...new Set(performance.getEntries().map((entry) => entry.nextHopProtocol).filter(Boolean))],
      })`);
      expect(seen).toEqual({
        scripts: RESOURCES / 2,
        images: RESOURCES / 2,
        protocols: [NEXT_HOP[protocol]],
      });
    });

    it("gets each event when it is sent, and comes back for the next ones", async () => {
      told = [];
      sources = [];
      const page = await open(protocol, "/blank");
      await page.evaluate(`{
        window.source = new EventSource("/events");
        window.source.onmessage = (event) => fetch("/told?event=" + event.lastEventId + event.data);
      }`);
      await until("the EventSource", () => sources.length === 1);
      // Nothing follows an event until the page has told that it got it: no buffer on the way can hold one back.
      for (let n = 1; n <= 5; n++) {
        source!.write(`id: ${n}\ndata: x\n\n`);
        await until(`event ${n} in the page`, () => told.at(-1) === `${n}x`);
      }
      source!.end();
      await until("the EventSource again", () => sources.length === 2);
      source!.write("id: 6\ndata: x\n\n");
      await until("event 6 in the page", () => told.at(-1) === "6x");
      expect(sources).toEqual([undefined, "5"]);
      expect(told).toEqual(["1x", "2x", "3x", "4x", "5x", "6x"]);
      await page.evaluate("window.source.close()");
    });

    it("echoes through a WebSocket", async () => {
      const page = await open(protocol, "/blank");
      const seen = await page.evaluate(`new Promise((resolve, reject) => {
        const socket = new WebSocket(location.origin.replace("http", "ws") + "/chat");
        socket.binaryType = "arraybuffer";
        const seen = [];
        socket.onerror = () => reject(new Error("the WebSocket failed"));
        socket.onopen = () => { socket.send("gr\u00fcn"); socket.send(new Uint8Array(1048576).fill(7)); };
        socket.onmessage = ({ data }) => {
          seen.push(typeof data === "string" ? data : new Uint8Array(data).every((byte) => byte === 7) && data.byteLength);
          if (seen.length === 2) socket.close(4001, "bye");
        };
        socket.onclose = ({ code, wasClean }) => resolve([...seen, code, wasClean]);
      })`);
      expect(seen).toEqual(["gr\u00fcn", 1048576, 4001, true]);
    });

    it(
      `downloads ${SIZE / MIB} MiB`,
      async () => {
        const page = await open(protocol, "/blank");
        const memory = watchMemory(front, `down by ${NEXT_HOP[protocol]}`);
        written = () => 0;
        await page.evaluate(`{ window.transfer = (async () => {
          const go = new Promise((resolve) => { window.go = resolve; });
          const pattern = new Uint8Array(${PERIOD}).map((_, n) => (n * 31 + (n >> 8)) & 255);
          const response = await fetch("/pattern?size=${SIZE}");
          let length = 0;
          let whole = true;
          let at = 0;
          await go;
          for (const reader = response.body.getReader(); ; ) {
            const { done, value } = await reader.read();
            if (done) return { length, whole };
            for (let n = 0; n < value.length; n++) {
              if (value[n] !== pattern[at]) whole = false;
              if (++at === ${PERIOD}) at = 0;
            }
            length += value.length;
          }
        })(); void 0; }`);
        expect(await standstill("the server", () => written())).toBeLessThan(MOST_UNREAD);
        await page.evaluate("window.go()");
        expect(await page.evaluate("window.transfer")).toEqual({ length: SIZE, whole: true });
        expect(await nextHop(page, "resource", "/pattern")).toBe(NEXT_HOP[protocol]);
        expect(memory.growth()).toBeLessThan(MOST_MEMORY);
      },
      PATIENCE,
    );

    it(
      `uploads ${SIZE / MIB} MiB by XMLHttpRequest, and as a form with a file`,
      async () => {
        const page = await open(protocol, "/blank");
        const file = join(folder, "upload");
        await writeFile(file, patternOf(SIZE));
        const memory = watchMemory(front, `up by ${NEXT_HOP[protocol]}`);
        await page.setContent(`<form action="/form" method="post" enctype="multipart/form-data">
          <input name="file" type="file"><input type="submit"></form>`);
        await page.setInputFiles("input[type=file]", file);
        let release: () => void = () => {};
        hold = new Promise((resolve) => (release = resolve));
        await page.evaluate(`{ window.transfer = new Promise((resolve, reject) => {
          const request = new XMLHttpRequest();
          request.open("POST", "/sink");
          window.sent = 0;
          request.upload.onprogress = ({ loaded }) => { window.sent = loaded; };
          request.onload = () => resolve(JSON.parse(request.responseText));
          request.onerror = () => reject(new Error("the upload failed"));
          request.send(document.querySelector("input").files[0]);
        }); void 0; }`);
        const sent = standstill("the page", () => page.evaluate<number>("window.sent"));
        expect(await sent.finally(release)).toBeLessThan(MOST_UNREAD);
        expect(await page.evaluate("window.transfer")).toEqual({
          length: SIZE,
          whole: true,
          framing: String(SIZE),
        } satisfies Sunk);
        expect(await nextHop(page, "resource", "/sink")).toBe(NEXT_HOP[protocol]);

        const answered = page.waitForResponse((response) => response.url().endsWith("/form"));
        await page.click("input[type=submit]");
        // As a form's body: the file between two boundaries.
        const form = (await (await answered).json()) as { readonly length: number };
        expect(form.length).toBeGreaterThan(SIZE);
        expect(form.length).toBeLessThan(SIZE + 1000);
        await page.waitForURL("**/form");
        expect(await nextHop(page, "navigation", "/form")).toBe(NEXT_HOP[protocol]);
        expect(memory.growth()).toBeLessThan(MOST_MEMORY);
      },
      PATIENCE * 2,
    );
  });
});

/** How Chromium names what it spoke. */
const NEXT_HOP: Readonly<Record<Protocol, string>> = { http: "http/1.1", https: "h2" };

/** Bytes of a body on their way at most while nobody reads it. Most of them are in buffers of the system and Chromium. */
const MOST_UNREAD: number = 48 * MIB;

function countFrom(socket: Socket): () => number {
  const before = socket.bytesWritten;
  return () => socket.bytesWritten - before;
}

/** Waits until what is sent stays as it is, and returns it. If only the machine was slow: then it is less. */
function standstill(who: string, sent: () => number | Promise<number>): Promise<number> {
  let last = 0;
  let looks = 0;
  const same = async (): Promise<number | undefined> => {
    const now = await sent();
    looks = now > 0 && now === last ? looks + 1 : 0;
    last = now;
    return looks >= 30 ? now : undefined;
  };
  return until(`${who} to have to wait`, same, { patience: PATIENCE / 2, instead: () => last });
}

/** By what the page itself, or something that it loaded, came. */
function nextHop(page: Page, type: "navigation" | "resource", path: string): Promise<unknown> {
  return page.evaluate(`performance.getEntriesByType("${type}")
    .find(({ name }) => new URL(name).pathname === "${path}")?.nextHopProtocol`);
}

/** Growth that a busy process may show whatever the bodies' size. */
const MOST_MEMORY: number = 96 * MIB;

/** Looks at the gateway's resident memory again and again until the growth is asked for. */
function watchMemory(front: Front, what: string): { readonly growth: () => number } {
  const before = front.halftone.residentBytes();
  let most = before;
  const look = (): void => void (most = Math.max(most, front.halftone.residentBytes()));
  const timer = setInterval(look, 20);
  onTestFinished(() => clearInterval(timer));
  return {
    growth: () => {
      look();
      clearInterval(timer);
      if (process.env["HALFTONE_INTEROP_MIB"] !== undefined) {
        const [from, to] = [before, most].map((bytes) => (bytes / MIB).toFixed(1));
        console.log(`${what}: resident before ${from} MiB, at most ${to} MiB`);
      }
      return most - before;
    },
  };
}

/** Counts a form's body. */
async function sinkForm(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let length = 0;
  for await (const chunk of request) length += (chunk as Buffer).length;
  response.setHeader("content-type", "application/json").end(JSON.stringify({ length }));
}

function serveAsset(pathname: string, response: ServerResponse): void {
  if (pathname.endsWith(".js")) {
    response.setHeader("content-type", "text/javascript");
    response.end(`window.count = (window.count ?? 0) + 1; /* ${"x".repeat(2000)} */`);
    return;
  }
  response.setHeader("content-type", "image/svg+xml");
  response.end('<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>');
}
