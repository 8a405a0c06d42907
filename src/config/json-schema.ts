import * as z from "zod";

import { appSchema } from "./app-schema.ts";

/**
 * JSON Schema (2020-12) of the canonical app document, made from the schema that checks it. What it cannot say is
 * checked besides: the grammar of addresses, `deploy` within the number of groups, no repeated server or route.
 */
export function appJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(appSchema, { io: "output" });
  return {
    $schema,
    $id: "urn:halftone:app.schema.json",
    title: "Halftone app",
    description:
      "One service behind the gateway: its routes, its groups of servers, and how its releases are shaded in.",
    ...schema,
  };
}
