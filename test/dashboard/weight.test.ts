import { request } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HalftoneProcess, startHalftone } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";

const LIMIT = 100_000;

interface Got {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly bytes: Buffer;
}

/** By node:http: fetch would undo the compression. */
function get(url: string, headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(chunks) }),
      );
    })
      .on("error", reject)
      .end();
  });
}

describe("what the page loads", { timeout: 180_000 }, () => {
  const scene = openScene(afterAll);
  let halftone: HalftoneProcess;

  beforeAll(async () => {
    halftone = await startHalftone(scene);
  });

  it(`is less than ${LIMIT} bytes at first, compressed by gzip`, async () => {
    const gzip = { "accept-encoding": "gzip" };
    const page = await get(`${halftone.adminUrl}/`, gzip);
    const html = gunzipSync(page.bytes).toString();
    const paths = Array.from(html.matchAll(/(?:src|href)="(\/[^"]+)"/g), ([, path]) => path!);
    expect(paths.length).toBeGreaterThan(2);
    let sum = page.bytes.length;
    for (const path of paths) {
      const { status, headers, bytes } = await get(halftone.adminUrl + path, gzip);
      expect([status, headers["content-encoding"]]).toEqual([200, "gzip"]);
      sum += bytes.length;
    }
    expect(sum).toBeGreaterThan(10_000);
    expect(sum).toBeLessThan(LIMIT);
  });

  it("may come from nowhere else, and stays in the browser under its name", async () => {
    const page = await get(`${halftone.adminUrl}/`);
    expect(page.headers["content-security-policy"]).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    );
    expect(page.headers["cache-control"]).toBe("no-cache");
    const html = page.bytes.toString();
    expect(html).not.toMatch(/<style|<script(?![^>]* src=)|style="/);
    const [, script] = /<script[^>]* src="([^"]+)"/.exec(html)!;
    const { headers } = await get(halftone.adminUrl + script!);
    expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    const unchanged = await get(`${halftone.adminUrl}/`, { "if-none-match": String(page.headers["etag"]) });
    expect([unchanged.status, unchanged.bytes.length]).toEqual([304, 0]);
  });
});
