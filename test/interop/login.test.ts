import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { chromium, type Browser, type BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type HalftoneProcess, startHalftone } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { ARGUMENTS, EXECUTABLE } from "./harness/chromium.ts";

/** Has the browser send what changes something, by all the means a page has without asking first. */
const ATTACK = `(async (admin) => {
  const init = { method: "POST", credentials: "include", mode: "no-cors" };
  await fetch(admin + "/api/v1/apps/shop/release/rollback", init).catch(() => {});
  const form = document.createElement("form");
  form.method = "POST";
  form.action = admin + "/api/v1/tokens";
  form.enctype = "text/plain";
  form.target = "sink";
  document.body.append(form);
  form.submit();
})`;

describe("Chromium at the admin address", () => {
  const scene = openScene(afterAll);
  let browser: Browser;
  let halftone: HalftoneProcess;
  let link: string;

  beforeAll(async () => {
    halftone = await startHalftone(scene);
    link = String((await halftone.logged(/an admin token was made/))["dashboard"]);
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: [...ARGUMENTS] });
    scene.defer(() => browser.close());
  });

  async function context(): Promise<BrowserContext> {
    // What the API answers may run nothing; the test's own script may.
    const made = await browser.newContext({ bypassCSP: true });
    onTestFinished(() => made.close());
    return made;
  }

  it("logs in by the link, keeps the token in no address, and may change things from then on", async () => {
    const page = await (await context()).newPage();
    await page.goto(link);
    expect(page.url()).toBe(`${halftone.adminUrl}/`);
    await page.getByRole("banner").getByText("admin admin").waitFor();
    expect(await page.evaluate("document.cookie")).toBe("");
    const made = await page.evaluate(`fetch("/api/v1/tokens", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "from-a-page", role: "viewer" }),
    }).then(({ status }) => status)`);
    expect(made).toBe(201);
    expect(await page.evaluate(`fetch("/api/v1/session").then((answer) => answer.json())`)).toMatchObject({
      name: "admin",
      role: "admin",
    });
    expect(
      await page.evaluate(`fetch("/api/v1/session", { method: "DELETE" }).then(({ status }) => status)`),
    ).toBe(204);
    expect(await page.evaluate(`fetch("/api/v1/session").then(({ status }) => status)`)).toBe(401);
    await page.reload();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  });

  it("is no tool of a page at another port of the same host, whose requests carry the cookie", async () => {
    const evil = await startPage();
    const browsing = await context();
    const page = await browsing.newPage();
    await page.goto(link);
    const answers: number[] = [];
    browsing.on("response", (response) => {
      if (response.request().method() === "POST") answers.push(response.status());
    });
    const other = await browsing.newPage();
    await other.goto(evil);
    await other.evaluate(`${ATTACK}(${JSON.stringify(halftone.adminUrl)})`);
    await until("the answers to both", () => answers.length === 2, { instead: () => answers });
    // The cookie came along: without one they were 401.
    expect(answers).toEqual([403, 403]);
    expect(await page.evaluate(`fetch("/api/v1/session").then(({ status }) => status)`)).toBe(200);
  });

  async function startPage(): Promise<string> {
    const server: Server = createServer((_, response) =>
      response.setHeader("content-type", "text/html").end('<!doctype html><iframe name="sink"></iframe>'),
    ).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }
});
