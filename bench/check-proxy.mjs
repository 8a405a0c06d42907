// @ts-check
import { request as askPlain } from "node:http";
import { request as askSecure } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { BODY } from "./upstream.mjs";

/** Ten thousand apps take their time. */
const START_MS = 60_000;
const ANSWER_MS = 10_000;
/** Enough for any fair balancer to show every server, or of many so many different ones. */
const ECHOES = 8;

/**
 * Waits until the proxy answers, then checks that it does the whole work: a proxy that leaves fields out or uses one
 * server only would look cheap.
 * @param {import("./children.mjs").Child} proxy
 * @param {import("./arena.mjs").Target} target
 * @param {readonly string[]} servers
 */
export async function checkProxy(proxy, target, servers) {
  await firstAnswer(proxy, target);
  const seen = new Set();
  for (let i = 0; i < ECHOES; i++) {
    // Another client each time, for those who tell clients apart.
    const answer = await request(target, "/echo", { headers: { Cookie: `uid=${i}` } });
    const echo = /** @type {Record<string, string>} */ (JSON.parse(answer.body));
    seen.add(echo.server);
    const wrong = [
      ["Host", echo.host, target.host],
      ["X-Forwarded-For", echo.for, "127.0.0.1"],
      ["X-Forwarded-Proto", echo.proto, target.tls ? "https" : "http"],
      ["X-Forwarded-Host", echo.forwardedHost, target.host],
    ].filter(([, found, expected]) => found !== expected);
    if (echo.id === "") wrong.push(["X-Request-Id", "", "some id"]);
    for (const [field, found, expected] of wrong) {
      throw new Error(`${proxy.name} sent ${field} "${found}" to the server, expected "${expected}"`);
    }
  }
  const expected = Math.min(servers.length, ECHOES);
  if (seen.size < expected) {
    throw new Error(`${proxy.name} sent to ${seen.size} servers, expected ${expected}: ${[...seen].join()}`);
  }
}

/**
 * One request of the work load, looked at closely: wrk counts an answer that is cut short or of another kind as good.
 * @param {import("./children.mjs").Child} proxy
 * @param {import("./arena.mjs").Target} target
 * @param {import("./loads/work-load.mjs").WorkLoad} load
 */
export async function checkLoad(proxy, target, load) {
  const { status, length, headers } = await request(target, load.path, load);
  const missing = (load.answerFields ?? []).filter((name) => headers[name.toLowerCase()] === undefined);
  const found = `status ${status} with ${length} bytes`;
  if (status !== 200 || length !== load.length) {
    throw new Error(`${proxy.name} answered ${found}, expected status 200 with ${load.length} bytes`);
  }
  if (missing.length > 0) throw new Error(`${proxy.name} left out ${missing.join(", ")} in its answer`);
}

/**
 * @param {import("./children.mjs").Child} proxy
 * @param {import("./arena.mjs").Target} target
 */
async function firstAnswer(proxy, target) {
  const deadline = Date.now() + START_MS;
  let last = "no answer yet";
  while (Date.now() < deadline) {
    if (!proxy.running()) throw new Error(`${proxy.name} ended at its start:\n${proxy.output()}`);
    try {
      const { status, body } = await request(target, "/");
      if (status === 200 && body === BODY) return;
      last = `status ${status}: ${body.slice(0, 200)}`;
    } catch (error) {
      last = String(error);
    }
    await pause(50);
  }
  throw new Error(`${proxy.name} does not answer as its server does (${last}):\n${proxy.output()}`);
}

/**
 * @typedef {object} Answer
 * @property {number | undefined} status
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {number} length
 * @property {string} body its beginning
 */

/**
 * @param {import("./arena.mjs").Target} target
 * @param {string} path
 * @param {Pick<import("./loads/work-load.mjs").WorkLoad, "method" | "headers" | "requestBytes">} [what]
 * @returns {Promise<Answer>}
 */
function request({ port, tls, host }, path, { method = "GET", headers = {}, requestBytes = 0 } = {}) {
  return new Promise((resolve, reject) => {
    const length = requestBytes > 0 ? { "Content-Length": requestBytes } : {};
    const options = {
      host: "127.0.0.1",
      port,
      path,
      method,
      headers: { ...headers, ...length, Host: host },
      agent: false,
      timeout: ANSWER_MS,
      // Its certificate is one of this run.
      rejectUnauthorized: false,
    };
    const asked = (tls ? askSecure : askPlain)(options, (response) => {
      let [body, length] = ["", 0];
      response.on("data", (/** @type {Buffer} */ bytes) => {
        if (length < 2048) body += bytes.toString("latin1", 0, 2048);
        length += bytes.length;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, length, body }),
      );
      response.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)));
    asked.on("error", reject);
    asked.end(Buffer.alloc(requestBytes, "x"));
  });
}
