import * as z from "zod";
import type { TracesSettings } from "./gateway-settings.ts";
import { checkedText, closedObject, httpUrl, patternText, percentage } from "./schema-fields.ts";

export interface WrittenTraces {
  readonly endpoint: string;
  readonly sample?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly service?: string;
}

const headerName = patternText(/^[\w!#$%&'*+.^`|~-]+$/, "names of header fields");
const headerValue = checkedText(
  (text) => /^[\x20-\x7e]*$/.test(text),
  "a value of printable ASCII characters",
);

/** `traces`, as written. */
export const tracesSchema: z.ZodType<WrittenTraces> = closedObject(
  {
    endpoint: httpUrl(),
    sample: percentage().exactOptional(),
    headers: z.record(headerName, headerValue, "header fields by name").exactOptional(),
    service: patternText(/^[\x21-\x7e]{1,100}$/, "a name of 1 to 100 visible characters").exactOptional(),
  },
  "where traces go, {endpoint, sample, headers, service}",
);

export function tracesSettings({
  endpoint,
  sample = 1,
  headers = {},
  service = "halftone",
}: WrittenTraces): TracesSettings {
  return { endpoint, sample: sample / 100, headers, service };
}
