import type { RequestCase, ResponseCase } from "../case.ts";
import { requestEdges, responseEdges } from "./edges.ts";
import { clientFaults, serverFaults } from "./faults-of-others.ts";
import { fieldCases } from "./fields.ts";
import { forwardingCases } from "./forwarding.ts";
import { requestFramingCases } from "./request-framing.ts";
import { responseCases } from "./responses.ts";
import { startLineCases } from "./start-line.ts";
import { targetAndHostCases } from "./target-and-host.ts";

/** Of hostile clients. */
export const allRequests: readonly RequestCase[] = [
  ...startLineCases,
  ...targetAndHostCases,
  ...fieldCases,
  ...requestFramingCases,
  ...forwardingCases,
  ...clientFaults,
  ...requestEdges,
];

/** Of hostile servers. */
export const allResponses: readonly ResponseCase[] = [...responseCases, ...serverFaults, ...responseEdges];
