import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openScene } from "../e2e/harness/scene.ts";
import { startCrowd } from "../release/crowd.ts";
import { openStage, reach, type ReleaseStage, SHORT } from "../release/stage.ts";
import { logIn, openBrowser, PATIENCE, visit } from "./browser.ts";

describe("a release on the page", { timeout: 180_000 }, () => {
  const scene = openScene(afterAll);
  let browser: Browser;
  let stage: ReleaseStage;

  beforeAll(async () => {
    stage = await openStage(scene);
    browser = await openBrowser(scene);
  });

  async function enter(): Promise<Page> {
    const gateway = stage.gateways[0]!;
    const { page } = await visit(browser, scene, { expected: /status of (?:404|409)/ });
    await logIn(page, gateway.adminUrl, gateway.token);
    return page;
  }

  async function startForm(page: Page, version: string): Promise<void> {
    await page.getByRole("link", { name: /^shop,/ }).click();
    await page.getByRole("link", { name: "Start", exact: true }).click();
    await page.getByLabel("Version").fill(version);
    await page.getByText("Nothing speaks against it. Nothing is begun yet.").waitFor();
  }

  it("is begun by the form, and watched from its start to its end under load", async () => {
    const gateway = stage.gateways[0]!;
    const crowd = startCrowd(scene, [gateway.gatewayPort], { connections: 3, pauseBetween: 30 });
    await gateway.put("shop", { ...stage.document, release: { ...stage.document.release, steps: SHORT } });
    const page = await enter();
    await startForm(page, "v1");
    // Looking begins nothing.
    expect((await gateway.api("GET", "/apps/shop/release")).status).toBe(404);
    await page.getByRole("button", { name: "Begin the release" }).click();
    await page.getByRole("heading", { name: /Release of v1 running/ }).waitFor();
    await page.getByRole("heading", { name: /Release of v1 done/ }).waitFor({ timeout: 2 * PATIENCE });
    await page.getByRole("img", { name: "100% of the clients are on v1" }).waitFor();
    const rate = page.getByRole("img", { name: /^Requests a second\. group1: [\d.]+; group2: [\d.]+/ });
    await rate.waitFor();
    expect([...stage.versions().values()]).toEqual(["v1", "v1", "v1", "v1"]);
    expect(crowd.failures).toEqual([]);
    await crowd.stop();
  });

  it("is rolled back after a question", async () => {
    const gateway = stage.gateways[0]!;
    const plan = [{ testers: "wait" }, { share: 100, for: "300ms" }, { hold: "wait" }];
    await gateway.put("shop", { ...stage.document, release: { ...stage.document.release, steps: plan } });
    const page = await enter();
    await startForm(page, "v2");
    await page.getByRole("button", { name: "Begin the release" }).click();
    await page.getByText("waits for a person", { exact: true }).waitFor({ timeout: 2 * PATIENCE });
    await page.getByRole("img", { name: "Testers are on the new version" }).first().waitFor();
    // What would be refused says why.
    const resume = page.getByRole("button", { name: "Resume" });
    expect(await resume.getAttribute("aria-disabled")).toBe("true");
    await page.getByText("Nobody has paused it.").waitFor();
    await page.getByRole("button", { name: "Roll back" }).click();
    const question = page.getByRole("dialog", { name: "Roll shop back?" });
    await question.getByLabel(/^Reason/).fill("the basket is empty");
    await question.getByRole("button", { name: "Roll back" }).click();
    await question.waitFor({ state: "detached" });
    const over = await reach(gateway, "the way back", ({ status }) => status === "rolledBack");
    expect(over.reason).toContain("the basket is empty");
    await page.getByRole("heading", { name: /Release of v2 rolled back/ }).waitFor();
    await page.getByRole("img", { name: "0% of the clients are on v2" }).waitFor();
  });

  it("is refused by a guard before anything happens", async () => {
    const gateway = stage.gateways[0]!;
    await gateway.api("PUT", "/apps/shop/freeze", { reason: "quarter end" });
    const before = await gateway.api("GET", "/apps/shop/releases");
    const page = await enter();
    await page.getByRole("link", { name: /^shop,/ }).click();
    await page.getByText("Frozen by admin, until it is lifted: no step forward.").waitFor();
    await page.getByRole("link", { name: "Start", exact: true }).click();
    await page.getByLabel("Version").fill("v3");
    await page.getByText(/a freeze stops every step forward until it is lifted: quarter end/).waitFor();
    const begin = page.getByRole("button", { name: "Begin the release" });
    expect(await begin.getAttribute("aria-disabled")).toBe("true");
    await begin.click({ force: true });
    await page.getByText("It would be refused; see above.").waitFor();
    expect((await gateway.api("GET", "/apps/shop/releases")).body).toEqual(before.body);
    // A plan that is none is refused with its reason, at once.
    await gateway.api("DELETE", "/apps/shop/freeze");
    await page.getByText("Nothing speaks against it. Nothing is begun yet.").waitFor();
    await page.getByLabel("Step 2: percentage").fill("0");
    await page.getByText(/a share of 0 % follows 0 %/).waitFor();
    await page.getByText("It would be refused now:").waitFor();
  });
});
