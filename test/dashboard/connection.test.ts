import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../e2e/harness/free-port.ts";
import { createSite, type HalftoneProcess, type Site } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { logIn, openBrowser, PATIENCE, visit } from "./browser.ts";

const DOCUMENT = { groups: { group1: { servers: ["127.0.6.1:1"] }, group2: { servers: ["127.0.6.2:1"] } } };

describe("the connection of the page", { timeout: 180_000 }, () => {
  const scene = openScene(afterAll);
  let browser: Browser;
  let site: Site;
  let halftone: HalftoneProcess;

  beforeAll(async () => {
    const port = await freePort("127.0.0.1");
    site = await createSite(scene, { admin: { listen: `127.0.0.1:${port}` } });
    halftone = await site.start();
    await halftone.put("shop", DOCUMENT);
    browser = await openBrowser(scene);
  });

  const LOST = /^The connection is lost\. Everything shown is as of/;

  it("that falls silent is told of, every number with its age, until it is back", async () => {
    const { page } = await visit(browser, scene, { expected: /Failed to load resource|net::ERR/ });
    await logIn(page, halftone.adminUrl, halftone.token);
    await page.getByRole("link", { name: /^shop,/ }).waitFor();
    // A process that stands still closes no connection: nothing tells of it but silence.
    halftone.kill("SIGSTOP");
    try {
      await page.getByRole("alert").getByText(LOST).waitFor({ timeout: PATIENCE });
      expect(await page.locator(".app-card .age").textContent()).toMatch(/^\d+ s old$/);
      const opacity = await page.evaluate("getComputedStyle(document.querySelector('.app-card .n')).opacity");
      expect(Number(opacity)).toBeLessThan(0.5);
    } finally {
      halftone.kill("SIGCONT");
    }
    await page.getByText("Connected again: everything is fresh.").waitFor();
    expect(await page.locator(".age").count()).toBe(0);
    await halftone.put("cart", { ...DOCUMENT, routes: [{ host: "cart.example.com" }] });
    await page.getByRole("link", { name: /^cart,/ }).waitFor();
  });

  it("of a gateway that died is told of at once; a new one wants to know who one is", async () => {
    const { page } = await visit(browser, scene, { expected: /Failed to load resource|net::ERR/ });
    await logIn(page, halftone.adminUrl, halftone.token);
    await page.getByRole("link", { name: /^shop,/ }).click();
    await page.getByRole("link", { name: "Start", exact: true }).waitFor();
    halftone.kill("SIGKILL");
    await halftone.exit;
    await page.getByRole("alert").getByText(LOST).waitFor();
    halftone = await site.start();
    await page.getByText("Your session is over. Log in again.").waitFor();
    await page.getByLabel("Token").fill(halftone.token);
    await page.keyboard.press("Enter");
    // Where one was.
    await page.getByRole("heading", { level: 1, name: "shop" }).waitFor();
  });
});
