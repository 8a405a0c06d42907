import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HalftoneProcess, startHalftone } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { openBrowser, visit } from "./browser.ts";

const servers = (n: number): object => ({
  groups: { group1: { servers: [`127.0.6.${n}:1`] }, group2: { servers: [`127.0.6.${n}:2`] } },
});

describe("the page by keyboard alone", { timeout: 180_000 }, () => {
  const scene = openScene(afterAll);
  let browser: Browser;
  let halftone: HalftoneProcess;
  let page: Page;

  beforeAll(async () => {
    halftone = await startHalftone(scene);
    for (let n = 1; n <= 9; n += 1) {
      await halftone.put(`app-${n}`, { ...servers(n), routes: [{ host: `app-${n}.example.com` }] });
    }
    await halftone.api("POST", "/apps/app-5/release", { version: "2" });
    browser = await openBrowser(scene);
    ({ page } = await visit(browser, scene));
  });

  async function focused(): Promise<string> {
    return await page.evaluate<string>(
      "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent",
    );
  }

  /** Presses the key until what has the focus is so. */
  async function go(key: string, wanted: RegExp): Promise<void> {
    const seen: string[] = [];
    await until(
      `${wanted} by ${key}`,
      async () => {
        await page.keyboard.press(key);
        seen.push((await focused()).slice(0, 40));
        return wanted.test(seen.at(-1)!);
      },
      { instead: () => seen },
    );
  }

  it("logs in, finds an app, asks to roll it back, changes their mind, and leaves", async () => {
    await page.goto(halftone.adminUrl);
    await page.getByLabel("Token").waitFor();
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.type(halftone.token);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: /^app-9,/ }).waitFor();

    // What waits for a person comes first; the cards are one stop, and walked by arrows.
    await go("Tab", /^app-5,/);
    const first = await focused();
    await page.keyboard.press("ArrowRight");
    await until("the next card", async () => (await focused()) !== first);
    expect(await focused()).toMatch(/^app-/);
    await page.keyboard.press("Home");
    await until("the first card", async () => (await focused()) === first);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "app-5" }).waitFor();
    await until("the heading to have the focus", async () => (await focused()) === "app-5");

    await go("Tab", /^Roll back$/);
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    expect(outline).toBe("solid");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    // The question keeps the focus, and gives it back.
    for (let presses = 0; presses < 6; presses += 1) {
      await page.keyboard.press("Tab");
      expect(
        await page.evaluate(
          "document.activeElement === document.body || document.querySelector('dialog').contains(document.activeElement)",
        ),
      ).toBe(true);
    }
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await until("the focus back", async () => (await focused()) === "Roll back");
    const { body } = await halftone.api("GET", "/apps/app-5/release");
    expect(body).toMatchObject({ status: "running" });

    await go("Shift+Tab", /^Log out$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  });
});
