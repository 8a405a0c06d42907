// Pictures of every view of the dashboard, in light and dark, on a desk and on a phone: docs/images/dashboard-*.png.
// `npm run screenshots`, or `node scripts/screenshots.mjs NAME...` for some of the views.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { chromium } from "playwright-core";
import { fewerColours } from "./fewer-colours.mjs";
import { openShow, playShow } from "./screenshot-stage.mjs";

const LARGEST = 150 * 1024;
const IMAGES = fileURLToPath(new URL("../docs/images/", import.meta.url));
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
];

const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 860 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 860 } },
  { name: "phone-light", colorScheme: "light", viewport: { width: 390, height: 844 } },
  { name: "phone-dark", colorScheme: "dark", viewport: { width: 390, height: 844 } },
];

/** What is looked at, and what to do until it is worth a picture. */
const VIEWS = {
  glance: { hash: "#/" },
  release: {
    hash: "#/apps/checkout",
    height: 1500,
    ready: (page) => page.getByRole("img", { name: /^Requests a second/ }).waitFor(),
  },
  start: {
    hash: "#/apps/wishlist/start",
    ready: async (page) => {
      await page.getByLabel("Version").fill("2.0");
      await page.getByText("Nothing speaks against it").waitFor();
    },
  },
  servers: {
    hash: "#/apps/checkout/servers",
    ready: (page) => page.getByRole("rowheader").first().waitFor(),
  },
  explain: {
    hash: "#/apps/checkout/explain",
    ready: async (page) => {
      await page.getByLabel("Client address").fill("10.1.2.3");
      await page.getByLabel("Cookies, one a line").fill("uid=42");
      await page.getByRole("button", { name: "Explain" }).click();
      await page.getByText(/^It goes to/).waitFor();
    },
  },
  document: {
    hash: "#/apps/wishlist/document",
    ready: async (page) => {
      const text = page.getByLabel("The document as JSON");
      await text.waitFor();
      await text.fill((await text.inputValue()).replace('"uid"', '"session"'));
      await page.getByRole("button", { name: "Review the changes" }).click();
    },
  },
  audit: { hash: "#/apps/checkout/audit", ready: (page) => page.getByRole("cell").first().waitFor() },
  fleet: { hash: "#/fleet" },
};

const wanted = process.argv.slice(2);
const show = await openShow();
const browser = await chromium.launch({
  executablePath: process.env.HALFTONE_CHROMIUM ?? "/usr/bin/chromium",
  args: ARGUMENTS,
});
try {
  const pages = [];
  for (const { name, ...look } of LOOKS) {
    const page = await (await browser.newContext({ locale: "en-GB", ...look })).newPage();
    await page.goto(show.halftone.adminUrl);
    await page.getByLabel("Token").waitFor();
    await save(page, "login", name);
    await page.goto(`${show.halftone.adminUrl}/?token=${show.halftone.token}`);
    await page.getByRole("heading", { name: "Apps" }).waitFor();
    await page.evaluate("location.hash = '#/apps/checkout'");
    pages.push({ name, page });
  }
  await playShow(show);
  // The lines of the last minute, and evidence.
  await delay(25_000);
  for (const { name, page } of pages) {
    for (const [view, { hash, height, ready }] of Object.entries(VIEWS)) {
      const { width } = page.viewportSize();
      await page.setViewportSize({ width, height: height ?? (width > 500 ? 860 : 844) });
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await ready?.(page);
      await delay(1200);
      await save(page, view, name);
    }
  }
} finally {
  await browser.close();
  await show.close();
}

async function save(page, view, look) {
  if (wanted.length > 0 && !wanted.includes(view)) return;
  const file = `${IMAGES}dashboard-${view}-${look}.png`;
  const bytes = fewerColours(await page.screenshot({ animations: "disabled" }));
  if (bytes.length > LARGEST)
    throw new Error(`${file} has ${bytes.length} bytes; expected ${LARGEST} at most`);
  writeFileSync(file, bytes);
  console.log(`${file.slice(IMAGES.length)}  ${(bytes.length / 1024).toFixed(0)} KiB`);
}
