import { z } from "zod";
import type { Answer, Operation, Parameter, Schema } from "./operation.ts";
import { problemDocument } from "./schemas.ts";
import { SESSION_COOKIE } from "./session-cookie.ts";

const PROBLEM_JSON = "application/problem+json";

/** The OpenAPI 3.1 document of these operations; its schemas are those the requests are checked by. */
export function openApiDocument(operations: readonly Operation[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Halftone admin API", version },
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: SESSION_COOKIE,
          description:
            "Begun by POST /api/v1/session; with it, all but GET need Origin or Sec-Fetch-Site too",
        },
      },
      schemas: { Problem: jsonSchema(problemDocument, "output") },
    },
    paths,
  };
}

function describe(operation: Operation): Record<string, unknown> {
  const { id, role, summary, body, answers, refusals = [] } = operation;
  const isOpen = role === "anyone";
  const responses: Record<string, unknown> = {};
  for (const [status, answer] of Object.entries(answers)) {
    const { description, headers = [] } = answer;
    responses[status] = {
      description,
      ...(headers.length > 0 && {
        headers: Object.fromEntries(headers.map((name) => [name, { schema: { type: "string" } }])),
      }),
      ...contentOf(answer),
    };
  }
  for (const status of [...(isOpen ? [] : [401, 403, 429]), ...refusals]) {
    responses[status] = {
      description: "Refused",
      content: { [PROBLEM_JSON]: { schema: { $ref: "#/components/schemas/Problem" } } },
    };
  }
  return {
    operationId: id,
    summary,
    ...(!isOpen && {
      security: [{ token: [] }, { session: [] }],
      "x-halftone-role": role,
      description: `Least role: ${role}`,
    }),
    parameters: parametersOf(operation),
    ...(body && {
      requestBody: {
        required: body.optional !== true,
        content: Object.fromEntries(
          body.types.map((type) => [type, { schema: jsonSchema(body.schema, "input") }]),
        ),
      },
    }),
    responses,
  };
}

/** OpenAPI 3.1 has no word for what a stream of events holds: `x-events` has the data of each, by its type. */
function contentOf({ schema, type = "application/json", events }: Answer): Record<string, unknown> {
  if (schema === undefined) return {};
  const data: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(events ?? {})) data[name] = jsonSchema(one, "output");
  return {
    content: {
      [type]: {
        schema: jsonSchema(schema, "output"),
        ...(events && { "x-events": data }),
      },
    },
  };
}

function parametersOf({ path, parameters = [] }: Operation): Record<string, unknown>[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    in: "path",
    name,
    required: true,
    schema: { type: "string" },
  }));
  const others = parameters.map(({ in: place, name, description, required = false, schema }: Parameter) => ({
    in: place,
    name,
    description,
    required,
    schema: jsonSchema(schema, "input"),
  }));
  return [...inPath, ...others];
}

function jsonSchema(schema: Schema, io: "input" | "output"): unknown {
  if ("jsonSchema" in schema) return schema.jsonSchema;
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
