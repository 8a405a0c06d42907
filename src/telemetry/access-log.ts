import type { AccessLogSettings } from "../config/gateway-settings.ts";
import type { Rule } from "../core/select.ts";
import type { AccessLog, LoggedRequest } from "../gateway/access-log.ts";
import { LineWriter, LONGEST_LINE } from "./line-writer.ts";

/** One JSON object a line. Rejects with an Error that names the file when it cannot be written to. */
export async function openAccessLog(
  settings: AccessLogSettings,
  onTrouble: (problem: string) => void,
): Promise<AccessLog> {
  const { to, mode, sample } = settings;
  const where = to ?? "standard output";
  const told = (problem: string): string => `the access log ${where} cannot be written: ${problem}`;
  let writer: LineWriter;
  try {
    writer = await LineWriter.open(to, (problem) => onTrouble(told(problem)));
  } catch (error) {
    throw new Error(told((error as Error).message), { cause: error });
  }
  return {
    wants: (status, error) =>
      mode === "all" || status >= 500 || error === "cut" || (mode === "sampled" && Math.random() < sample),
    tell: (request) => writer.write(lineOf(request, settings.query, Date.now())),
    close: () => writer.close(),
  };
}

/** `now`: ms since the epoch. A path that would make the line too long ends with "..." before that. */
export function lineOf(request: LoggedRequest, query: boolean, now: number): string {
  const { target } = request;
  const queryAt = query ? -1 : target.indexOf("?");
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  const line = jsonLine(request, path, now);
  if (line.length <= LONGEST_LINE) return line;
  const room = Math.max(0, LONGEST_LINE - jsonLine(request, "", now).length - ELLIPSIS.length);
  // Every character of it may have been written as two.
  return jsonLine(request, path.slice(0, Math.floor(room / 2)) + ELLIPSIS, now);
}

const ELLIPSIS = "...";

function jsonLine(request: LoggedRequest, path: string, now: number): string {
  const { app, group, server, client, method, status, error, bytes, duration, tries, id, rule, release } =
    request;
  const took = Number.isNaN(duration) ? 0 : duration;
  const line = {
    time: new Date(now - took).toISOString(),
    app: textOrNull(app),
    group: textOrNull(group),
    server: textOrNull(server),
    client,
    method: textOrNull(method),
    path: textOrNull(path),
    status: status === 0 ? null : status,
    error: textOrNull(error),
    bytes,
    ms: Number.isNaN(duration) ? null : Math.round(duration * 1000) / 1000,
    tries,
    requestId: id,
    rule: rule === undefined ? null : ruleText(rule),
    release: textOrNull(release),
  };
  return `${JSON.stringify(line)}\n`;
}

function textOrNull(text: string): string | null {
  return text === "" ? null : text;
}

/** "everybody", "public", "share", "tester by header x-tester". */
function ruleText(rule: Rule): string {
  if (rule.kind !== "tester") return rule.kind;
  return `tester by ${rule.by} ${rule.by === "address" ? rule.entry : rule.name}`;
}
