import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { formatProblems } from "../config/format-problems.ts";
import type { ProblemDocument } from "../admin/api-problem.ts";
import type { CliContext } from "./cli-context.ts";
import { CliFailure, Unreachable } from "./cli-failure.ts";

const DEFAULT_URL = "http://127.0.0.1:9090";
const DEFAULT_DATA = "./data";
const TIMEOUT = 30_000;
/** What a gateway, or a proxy before it, answers while it cannot serve. */
const AWAY: ReadonlySet<number> = new Set([502, 503, 504]);

/** The options by which every command finds the gateway. */
export interface AdminOptions {
  readonly admin?: string;
  readonly token?: string;
  readonly data?: string;
}

export interface AdminAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  /** The JSON body; undefined when there is none. */
  readonly body: unknown;
}

export interface AdminRequest {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Statuses besides 2xx that the caller wants to see; every other one is a failure. */
  readonly accept?: readonly number[];
  /** How long the gateway itself waits before it answers, in ms. */
  readonly waits?: number;
}

/** Adds the options by which a command finds the gateway and proves who asks. */
export function withAdminOptions(command: Command): Command {
  return command
    .option("--admin <url>", `admin address of the gateway (HALFTONE_ADMIN; default ${DEFAULT_URL})`)
    .option(
      "--token <token>",
      "token of the admin API (HALFTONE_TOKEN; default: the file admin-token in the data folder)",
    )
    .option("--data <dir>", `data folder of the gateway (default ${DEFAULT_DATA})`);
}

/** Talks to the admin API. What goes wrong is a `CliFailure` in words for people. */
export class AdminClient {
  private readonly base: string;
  private readonly token: string;
  private readonly actor: string;

  private constructor(base: string, token: string, actor: string) {
    this.base = base;
    this.token = token;
    this.actor = actor;
  }

  static async open(context: CliContext, options: AdminOptions): Promise<AdminClient> {
    const base = options.admin ?? nonEmpty(context.env["HALFTONE_ADMIN"]) ?? DEFAULT_URL;
    if (!/^https?:\/\/[^/]/.test(base) || !URL.canParse(base)) {
      throw new CliFailure(
        `found admin address ${JSON.stringify(base)}, expected one like ${DEFAULT_URL}`,
        2,
      );
    }
    const token =
      options.token ??
      nonEmpty(context.env["HALFTONE_TOKEN"]) ??
      (await tokenFrom(options.data ?? DEFAULT_DATA));
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new CliFailure("the token is empty or holds characters no token can", 2);
    }
    const actor = nonEmpty(context.env["HALFTONE_ACTOR"]) ?? nonEmpty(context.env["USER"]) ?? "cli";
    return new AdminClient(base.replace(/\/+$/, ""), token, actor);
  }

  /** `path` starts with "/". */
  async request(
    path: string,
    { method = "GET", headers = {}, body, accept = [], waits = 0 }: AdminRequest = {},
  ): Promise<AdminAnswer> {
    const response = await this.fetch(path, {
      method,
      headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT + waits),
    });
    const answer = await this.answerOf(response);
    if (!response.ok && !accept.includes(answer.status)) throw new CliFailure(refusalText(answer));
    return answer;
  }

  /** The body of a GET. The server is ours: its shape is the API's, named by the caller. */
  async get<T>(path: string): Promise<T> {
    return (await this.request(path)).body as T;
  }

  /**
   * The events that a GET answers, which may never end. A gateway that goes away, before it or in its middle, or cannot
   * serve now, is `Unreachable`.
   */
  async *events(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void> {
    const response = await this.fetch(path, { headers, signal });
    if (AWAY.has(response.status)) throw new Unreachable(await this.awayText(response));
    if (!response.ok) throw new CliFailure(refusalText(await this.answerOf(response)));
    if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true) {
      throw this.stranger("no stream of events");
    }
    try {
      for await (const bytes of response.body ?? []) yield bytes as Uint8Array;
    } catch (error) {
      throw new Unreachable(`the connection to ${this.base} broke (${reasonOf(error)})`);
    }
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.base + path, {
        redirect: "error",
        ...init,
        headers: {
          Authorization: `Bearer ${this.token}`,
          "X-Halftone-Actor": this.actor.replaceAll(/[^\x20-\x7e]/g, "?"),
          ...(init.headers as Readonly<Record<string, string>>),
        },
      });
    } catch (error) {
      throw new Unreachable(
        `no gateway answers at ${this.base} (${reasonOf(error)}). ` +
          "Is `halftone serve` running there? Another address is named by --admin URL or HALFTONE_ADMIN.",
      );
    }
  }

  /** A proxy's answer is a page for people. */
  private async awayText(response: Response): Promise<string> {
    const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
    return isProblem ? refusalText(await this.answerOf(response)) : `${this.base} answers ${response.status}`;
  }

  private async answerOf(response: Response): Promise<AdminAnswer> {
    const etag = response.headers.get("etag") ?? undefined;
    return { status: response.status, etag, body: this.parse(await response.text()) };
  }

  private parse(text: string): unknown {
    if (text === "") return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw this.stranger("not JSON");
    }
  }

  private stranger(answer: string): CliFailure {
    return new CliFailure(
      `what answers at ${this.base} is not Halftone's admin API: its answer is ${answer}`,
    );
  }
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { readonly cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}

/** The path of an app's resource. */
export function appPath(name: string, below: string = ""): string {
  return `/api/v1/apps/${encodeURIComponent(name)}${below}`;
}

function refusalText({ status, body }: AdminAnswer): string {
  const { title, detail, problems = [] } = (body ?? {}) as Partial<ProblemDocument>;
  const hint =
    status === 401
      ? "\nThe token is given by --token, HALFTONE_TOKEN or --data DIR (the folder with admin-token)."
      : "";
  const first = title === undefined ? `the gateway answered ${status}` : `${title}: ${detail ?? ""}`;
  return [first + hint, ...formatProblems(problems).map((line) => `  ${line}`)].join("\n");
}

async function tokenFrom(folder: string): Promise<string> {
  const path = join(folder, "admin-token");
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliFailure(
      `found no admin token: --token and HALFTONE_TOKEN are not given, and ${path} cannot be read (${code}). ` +
        "Give one of them, or name the gateway's data folder by --data DIR.",
    );
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}
