import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HalftoneProcess, startHalftone } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { logIn, openBrowser, visit } from "./browser.ts";

const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

const VIEWS: readonly (readonly [hash: string, settled: (page: Page) => Promise<void>])[] = [
  ["#/", (page) => page.getByRole("link", { name: /^shop,/ }).waitFor()],
  ["#/apps/shop", (page) => page.getByRole("img", { name: /^Requests a second/ }).waitFor()],
  ["#/apps/quiet/start", (page) => page.getByText("Nothing speaks against it").waitFor()],
  ["#/apps/shop/start", (page) => page.getByText("It would be refused now:").waitFor()],
  ["#/apps/shop/servers", (page) => page.getByRole("rowheader").first().waitFor()],
  ["#/apps/shop/document", (page) => page.getByLabel("The document as JSON").waitFor()],
  ["#/apps/shop/audit", (page) => page.getByRole("cell").first().waitFor()],
  ["#/fleet", (page) => page.getByText("answers here").waitFor()],
  ["#/nowhere", (page) => page.getByText("There is no such place").waitFor()],
];

describe("the page for everybody", { timeout: 180_000 }, () => {
  const scene = openScene(afterAll);
  let browser: Browser;
  let halftone: HalftoneProcess;

  beforeAll(async () => {
    halftone = await startHalftone(scene);
    const groups = { group1: { servers: ["127.0.6.1:1"] }, group2: { servers: ["127.0.6.2:1"] } };
    const routes = (name: string): object => ({ routes: [{ host: `${name}.example.com` }] });
    const testers = ["10.9.0.0/16", { header: "x-tester", equals: "1" }];
    await halftone.put("shop", { groups, testers, ...routes("shop") });
    await halftone.put("quiet", { groups, ...routes("quiet") });
    await halftone.api("POST", "/apps/shop/release", { version: "2" });
    browser = await openBrowser(scene);
  });

  async function expectNoViolation(page: Page, where: string): Promise<void> {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate<{ readonly violations: readonly Violation[] }>(
      "axe.run(document)",
    );
    const told = violations.map(({ id, nodes }) => [
      id,
      nodes[0]?.target.join(" "),
      nodes[0]?.failureSummary,
    ]);
    expect(told, where).toEqual([]);
  }

  it.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 360],
    ["dark", 360],
  ] as const)("%s, %i px wide: axe finds nothing, and nothing sticks out", async (colorScheme, width) => {
    const { page } = await visit(browser, scene, { colorScheme, viewport: { width, height: 800 } });
    await page.goto(halftone.adminUrl);
    await page.getByLabel("Token").waitFor();
    await expectNoViolation(page, "login");
    await logIn(page, halftone.adminUrl, halftone.token);
    for (const [hash, settled] of VIEWS) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await settled(page);
      await expectNoViolation(page, hash);
      const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect(wider, hash).toBeLessThanOrEqual(0);
    }
    await page.evaluate("location.hash = '#/apps/shop/explain'");
    await page.getByLabel("Client address").fill("10.9.1.2");
    await page.keyboard.press("Enter");
    await page.getByText(/^It goes to/).waitFor();
    await expectNoViolation(page, "explain");
    await page.evaluate("location.hash = '#/apps/shop'");
    await page.getByRole("button", { name: "Roll back" }).click();
    await page.getByRole("dialog").waitFor();
    await expectNoViolation(page, "question");
  });

  it("speaks Chinese when asked to, and remembers that", async () => {
    const { page } = await visit(browser, scene);
    await logIn(page, halftone.adminUrl, halftone.token);
    await page.getByRole("button", { name: "中文" }).click();
    await page.getByRole("heading", { level: 1, name: "应用" }).waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("zh-Hans");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "应用" }).waitFor();
    await page.getByRole("button", { name: "English" }).click();
    await page.getByRole("heading", { level: 1, name: "Apps" }).waitFor();
  });

  it("turns dark when asked to, whatever the system says", async () => {
    const { page } = await visit(browser, scene, { colorScheme: "light" });
    await logIn(page, halftone.adminUrl, halftone.token);
    const theme = (): Promise<unknown> => page.evaluate("document.documentElement.dataset.theme");
    expect(await theme()).toBe("light");
    await page.getByLabel("Colours").selectOption("dark");
    expect(await theme()).toBe("dark");
    await page.getByLabel("Colours").selectOption("auto");
    expect(await theme()).toBe("light");
  });
});
