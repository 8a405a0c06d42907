// @ts-check
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, request } from "node:http";
import { freePort } from "../free-port.mjs";
import { HALFTONE } from "../proxies/halftone.mjs";
import { HOST } from "../proxies/proxy.mjs";

const TOKEN = "a-token-of-the-benchmark";
const ANSWER_MS = 30_000;

/** @typedef {{ status: number, etag: string | undefined, body: string }} Answer */

/** A gateway of its own folder on a shared Redis: one worker, all else as it comes. */
export class FleetGateway {
  /**
   * @param {string} folder
   * @param {string} name
   * @param {number} port
   * @param {number} adminPort
   */
  constructor(folder, name, port, adminPort) {
    this.folder = folder;
    this.name = name;
    this.port = port;
    this.adminPort = adminPort;
    this.agent = new Agent({ keepAlive: true });
  }

  /**
   * @param {string} folder
   * @param {string} name
   * @param {string} redis its URL
   */
  static async prepare(folder, name, redis) {
    mkdirSync(folder, { recursive: true });
    const gateway = new FleetGateway(folder, name, await freePort(HOST), await freePort(HOST));
    const document = {
      name,
      gateway: { listen: `${HOST}:${gateway.port}`, workers: 1 },
      admin: { listen: `${HOST}:${gateway.adminPort}`, token: TOKEN },
      data: "./data",
      directory: redis,
    };
    // JSON is YAML.
    writeFileSync(join(folder, "halftone.yaml"), JSON.stringify(document, undefined, 2));
    return gateway;
  }

  /**
   * @param {import("../children.mjs").Children} children
   * @param {readonly number[]} cores
   * @param {readonly string[]} [node] arguments of node
   */
  start(children, cores, node = []) {
    const args = [...node, HALFTONE, "serve", "-c", join(this.folder, "halftone.yaml")];
    return children.start({ name: this.name, cores, command: process.execPath, args, cwd: this.folder });
  }

  /**
   * Asks the admin API.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {Record<string, string>} [condition] what must stand for the change to be made
   * @returns {Promise<Answer>}
   */
  async admin(method, path, body, condition = {}) {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...condition };
    return await this.#ask({ port: this.adminPort, method, path, headers }, body);
  }

  /**
   * Sends a request as a client would.
   * @param {string} host
   * @returns {Promise<Answer>}
   */
  async get(host) {
    return await this.#ask({ port: this.port, method: "GET", path: "/", headers: { host } });
  }

  /**
   * @param {import("node:http").RequestOptions} options
   * @param {unknown} [body]
   * @returns {Promise<Answer>}
   */
  #ask(options, body) {
    return new Promise((resolve, reject) => {
      const asked = request({ ...options, host: HOST, agent: this.agent, timeout: ANSWER_MS }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, etag: response.headers.etag, body: text });
        });
      });
      asked.on("timeout", () => asked.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)));
      asked.on("error", reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
