import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HalftoneProcess, startHalftone } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { logIn, openBrowser, visit } from "./browser.ts";

const DOCUMENT = {
  groups: { group1: { servers: ["127.0.6.1:1"] }, group2: { servers: ["127.0.6.2:1"] } },
  testers: ["10.9.0.0/16"],
};

describe("who looks at the page", { timeout: 180_000 }, () => {
  const scene = openScene(afterAll);
  let browser: Browser;
  let halftone: HalftoneProcess;

  beforeAll(async () => {
    halftone = await startHalftone(scene);
    await halftone.put("shop", DOCUMENT);
    browser = await openBrowser(scene);
  });

  it("comes in by the link of the log, is named with their role, and leaves", async () => {
    const { page } = await visit(browser, scene);
    await page.goto(`${halftone.adminUrl}/?token=${halftone.token}`);
    await page.getByRole("link", { name: /^shop,/ }).waitFor();
    expect(page.url()).toBe(`${halftone.adminUrl}/`);
    expect(await page.getByRole("banner").textContent()).toContain("admin admin");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    expect(await page.content()).not.toContain("shop");
  });

  it("is told that a token is wrong", async () => {
    const { page } = await visit(browser, scene);
    await page.goto(halftone.adminUrl);
    await page.getByLabel("Token").fill("ht_wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("This token is not known.").waitFor();
  });

  it("may not operate as a viewer, and reads why", async () => {
    const made = await halftone.api("POST", "/tokens", { name: "eve", role: "viewer" });
    const { token } = made.body as { readonly token: string };
    const begun = await halftone.api("POST", "/apps/shop/release", { version: "2" });
    expect(begun.status).toBe(201);
    const { page } = await visit(browser, scene, { expected: /status of 404/ });
    await logIn(page, halftone.adminUrl, token);
    const changes: string[] = [];
    page.on("request", (request) => {
      if (request.method() !== "GET" && !request.url().endsWith("/preview")) changes.push(request.url());
    });
    await page.getByRole("link", { name: /^shop,/ }).click();
    for (const command of ["Continue", "Pause", "Resume", "Roll back"]) {
      const button = page.getByRole("button", { name: command, exact: true });
      expect(await button.getAttribute("aria-disabled")).toBe("true");
      const why = await button.getAttribute("aria-describedby");
      expect(await page.locator(`#${why}`).textContent()).toBe(
        "You may look only: this takes the role operator.",
      );
      await button.click({ force: true });
    }
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.getByRole("link", { name: "Servers" }).click();
    expect(await page.getByRole("button", { name: /^Put 127\.0\.6\.1:1/ }).isDisabled()).toBe(true);
    await page.getByRole("link", { name: "Document" }).click();
    expect(await page.getByLabel("The document as JSON").getAttribute("readonly")).not.toBeNull();
    await page.getByRole("link", { name: "Start", exact: true }).click();
    await page.getByLabel("Version").fill("3");
    await page.getByText(/is at .*; expected one release at a time/).waitFor();
    await page.getByRole("button", { name: "Begin the release" }).click({ force: true });
    expect(changes).toEqual([]);
    // Looking is theirs.
    await page.getByRole("link", { name: "Explain" }).click();
    await page.getByLabel("Client address").fill("10.9.1.2");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("It goes to group2").waitFor();
  });
});
