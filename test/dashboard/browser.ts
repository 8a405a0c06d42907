import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import type { Scene } from "../e2e/harness/scene.ts";
import { ARGUMENTS, EXECUTABLE } from "../interop/harness/chromium.ts";

/** Time that something on the page may take to come, in ms. */
export const PATIENCE = 20_000;

/** Has the page tell of everything that its policy kept from it. */
const TELL_VIOLATIONS = `addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  console.error("policy: " + violatedDirective + " kept " + blockedURI + " out");
});`;

/** That nobody is logged in is learned by asking. */
const NOT_LOGGED_IN = /^Failed to load resource: the server responded with a status of 401/;

export interface Visitor {
  readonly page: Page;
  /** What the browser complained of: errors of scripts, its console, its policy, requests to elsewhere. */
  readonly complaints: string[];
}

/** A browser with a fresh profile. */
export async function openBrowser(scene: Scene): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--headless", ...ARGUMENTS] });
  scene.defer(() => browser.close());
  return browser;
}

/** A page of its own, that is looked over the shoulder. `expected`: complaints that the scene brings about. */
export async function visit(
  browser: Browser,
  scene: Scene,
  { expected, ...options }: BrowserContextOptions & { readonly expected?: RegExp } = {},
): Promise<Visitor> {
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", ...options });
  const complaints: string[] = [];
  scene.defer(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  context.setDefaultTimeout(PATIENCE);
  await context.addInitScript(TELL_VIOLATIONS);
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(String(error.stack)));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() !== "error" || NOT_LOGGED_IN.test(text) || expected?.test(text) === true) return;
    complaints.push(text);
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") complaints.push(`a request to ${request.url()}`);
  });
  return { page, complaints };
}

/** Opens the page and types the token. */
export async function logIn(page: Page, adminUrl: string, token: string): Promise<void> {
  await page.goto(adminUrl);
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Apps" }).waitFor();
}
