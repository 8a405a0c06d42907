import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type HalftoneProcess, startHalftone } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { logIn, openBrowser, visit } from "./browser.ts";

const DOCUMENT = {
  name: "shop",
  port: 8080,
  groups: { group1: { weight: 1, servers: ["127.0.6.1"] }, group2: { weight: 1, servers: ["127.0.6.2"] } },
};

describe("the document on the page", { timeout: 180_000 }, () => {
  const scene = openScene(afterAll);
  let browser: Browser;
  let halftone: HalftoneProcess;
  let page: Page;

  beforeAll(async () => {
    halftone = await startHalftone(scene);
    browser = await openBrowser(scene);
  });

  beforeEach(async () => {
    await halftone.put("shop", DOCUMENT);
    ({ page } = await visit(browser, scene, { expected: /status of (?:412|422)/ }));
    await logIn(page, halftone.adminUrl, halftone.token);
    await page.getByRole("link", { name: /^shop,/ }).click();
    await page.getByRole("link", { name: "Document" }).click();
    await text().waitFor();
  });

  const text = (): ReturnType<Page["getByLabel"]> => page.getByLabel("The document as JSON");

  async function edit(from: string, to: string): Promise<void> {
    const written = await text().inputValue();
    expect(written).toContain(from);
    await text().fill(written.replace(from, to));
  }

  async function stored(): Promise<typeof DOCUMENT & { readonly testers?: unknown }> {
    return (await halftone.api("GET", "/apps/shop")).body as typeof DOCUMENT;
  }

  it("is compared before it is saved, and saved", async () => {
    await edit('"port": 8080', '"port": 8081');
    await page.getByRole("button", { name: "Review the changes" }).click();
    await page.getByRole("listitem").filter({ hasText: 'removed: "port": 8080' }).waitFor();
    await page.getByRole("listitem").filter({ hasText: 'added: "port": 8081' }).waitFor();
    expect((await stored()).port).toBe(8080);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/^Saved as revision \d+\. It is in force\.$/).waitFor();
    expect((await stored()).port).toBe(8081);
  });

  it("is refused with every problem at its field, and what stood before stays", async () => {
    await edit('"port": 8080', '"port": 99999');
    await edit('"127.0.6.2"', '"not an address!"');
    await page.getByRole("button", { name: "Review the changes" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Not saved. Problems: 2. The document before stays in force.").waitFor();
    expect(await text().getAttribute("aria-invalid")).toBe("true");
    await page.getByRole("button", { name: /^line \d+ groups\.group2\.servers\[0\]$/ }).click();
    const selected = await page.evaluate(
      "document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)",
    );
    expect(selected).toBe('"not an address!"');
    expect(await stored()).toMatchObject(DOCUMENT);
  });

  it("that somebody else has changed meanwhile is a choice field by field", async () => {
    await edit('"port": 8080', '"port": 8081');
    await edit('"127.0.6.2"', '"127.0.6.3"');
    await halftone.put("shop", { ...DOCUMENT, port: 9000, testers: ["10.9.0.0/16"] });
    await page.getByText(/^Somebody has saved revision \d+ meanwhile/).waitFor();
    await page.getByRole("button", { name: "Review the changes" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: /^Somebody was faster/ }).waitFor();
    // One field was changed by both; the others go together by themselves.
    const fields = page.getByRole("group");
    expect(await fields.count()).toBe(1);
    await fields.getByText("9000").waitFor();
    const take = page.getByRole("button", { name: "Take this and review" });
    expect(await take.isDisabled()).toBe(true);
    await fields.getByLabel(/^Mine/).check();
    await take.click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/^Saved as revision \d+/).waitFor();
    expect(await stored()).toMatchObject({
      port: 8081,
      testers: ["10.9.0.0/16"],
      groups: { group2: { servers: ["127.0.6.3"] } },
    });
  });

  it("that is no JSON cannot be reviewed", async () => {
    await text().fill("{");
    expect(await page.getByRole("button", { name: "Review the changes" }).isDisabled()).toBe(true);
    expect(await stored()).toMatchObject(DOCUMENT);
  });
});
