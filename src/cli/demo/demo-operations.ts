import { z } from "zod";
import { refusal } from "../../admin/api-problem.ts";
import type { Operation } from "../../admin/operation.ts";
import { CliFailure } from "../cli-failure.ts";
import { SCENARIOS } from "./scenarios.ts";
import type { Stage } from "./stage.ts";

const KILL_REDIS = { id: "kill-redis", title: "kill Redis" };

const demoAnswer = z.object({
  app: z.string(),
  news: z.string(),
  scenarios: z.array(z.object({ id: z.string(), title: z.string(), expect: z.string() })),
});

/** What the page of a demo offers beside that of a gateway: the scenarios, to be begun by a click. */
export function demoOperations(stageNow: () => Stage | undefined): readonly Operation[] {
  return [
    {
      id: "getDemo",
      role: "viewer",
      method: "get",
      path: "/api/v1/demo",
      summary: "What this demo can show",
      answers: { 200: { description: "The scenarios", schema: demoAnswer } },
      refusals: [],
      handle(c) {
        const stage = stageNow();
        const scenarios = SCENARIOS.map(({ id, title, expect }) => ({ id, title, expect }));
        const redis = stage?.redis === undefined ? [] : [{ ...KILL_REDIS, expect: "Nobody notices." }];
        return c.json({ app: "shop", news: stage?.news ?? "", scenarios: [...scenarios, ...redis] });
      },
    },
    {
      id: "playScenario",
      role: "operator",
      method: "post",
      path: "/api/v1/demo/{scenario}",
      summary: "Begins a scenario",
      answers: { 202: { description: "It is under way", schema: z.object({ scenario: z.string() }) } },
      refusals: [404, 409],
      async handle(c) {
        const stage = stageNow();
        const id = c.req.param("scenario") ?? "";
        const scenario = SCENARIOS.find((one) => one.id === id);
        if (stage !== undefined && id === KILL_REDIS.id && stage.redis !== undefined) {
          void stage.killRedis();
          return c.json({ scenario: id }, 202);
        }
        if (scenario === undefined || stage === undefined) {
          const known = SCENARIOS.map((one) => one.id).join(", ");
          return refusal("not-found", `found scenario ${id}, expected one of ${known}`);
        }
        try {
          await stage.begin(scenario);
          return c.json({ scenario: id }, 202);
        } catch (error) {
          if (!(error instanceof CliFailure)) throw error;
          return refusal("refused", error.message);
        }
      },
    },
  ];
}
