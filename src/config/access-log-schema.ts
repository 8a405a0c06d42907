import path from "node:path";
import * as z from "zod";
import type { AccessLogSettings } from "./gateway-settings.ts";
import { closedObject, filePath, flag, percentage } from "./schema-fields.ts";

export interface WrittenAccessLog {
  readonly to?: string;
  readonly mode?: "off" | "errors" | "sampled" | "all";
  readonly sample?: number;
  readonly query?: boolean;
}

/** `gateway.accessLog`, as written. */
export const accessLogSchema: z.ZodType<WrittenAccessLog> = closedObject(
  {
    to: filePath().exactOptional(),
    mode: z.enum(["off", "errors", "sampled", "all"], '"off", "errors", "sampled" or "all"').exactOptional(),
    sample: percentage().exactOptional(),
    query: flag().exactOptional(),
  },
  "an access log, {to, mode, sample, query}",
);

/** Nothing where none is to be written. Paths start at the folder. */
export function accessLogSettings(
  { to = "stdout", mode = "off", sample = 1, query = false }: WrittenAccessLog = {},
  baseFolder: string,
): { readonly accessLog?: AccessLogSettings } {
  if (mode === "off") return {};
  const file = to === "stdout" ? null : path.resolve(baseFolder, to);
  return { accessLog: { to: file, mode, sample: sample / 100, query } };
}
