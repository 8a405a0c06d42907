import { describe, it } from "vitest";
import { allResponses } from "./cases/all.ts";
import { useRig } from "./rig.ts";

const rig = useRig();

describe(`${allResponses.length} responses of hostile servers`, () => {
  it.each(allResponses)("$name", (wanted) => rig.response(wanted));
});
