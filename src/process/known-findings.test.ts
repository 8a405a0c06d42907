import { expect, it } from "vitest";
import { KnownFindings } from "./known-findings.ts";

it("knows of servers that are out, by traffic and by check apart", () => {
  const known = new KnownFindings();
  const [app, server] = ["shop", "10.0.0.1:80"];
  known.take({ kind: "dead", app, server, deadUntil: 1, streak: 1, error: "" });
  known.take({ kind: "dead", app, server, deadUntil: 2, streak: 2, error: "" });
  known.take({ kind: "check", app, server, healthy: false, error: "" });
  expect(known.of(app).map((finding) => ("deadUntil" in finding ? finding.deadUntil : "check"))).toEqual([
    2,
    "check",
  ]);
  known.take({ kind: "alive", app, server });
  expect([...known.all()].map(({ kind }) => kind)).toEqual(["check"]);
  known.take({ kind: "check", app, server, healthy: true, error: "" });
  expect(known.of(app)).toEqual([]);
  known.take({ kind: "check", app, server, healthy: false, error: "" });
  known.forget(app);
  expect([...known.all()]).toEqual([]);
});
