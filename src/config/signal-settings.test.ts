import { describe, expect, it } from "vitest";
import { formatProblems } from "./format-problems.ts";
import { parseHalftoneConfig } from "./halftone-config.ts";
import type { SignalSource } from "./signal-settings.ts";

function signals(text: string): readonly SignalSource[] {
  const result = parseHalftoneConfig(text, "/etc/halftone");
  if (!result.ok) throw new Error(formatProblems(result.problems).join("\n"));
  return result.value.signals;
}

function refusal(...written: readonly string[]): readonly string[] {
  const result = parseHalftoneConfig(`signals: [${written.join(", ")}]`, "/etc/halftone");
  return result.ok ? [] : formatProblems(result.problems);
}

const QUERIES = `total: 'sum(a{b=~"$servers"})', bad: 'sum(c{b=~"$groups"})'`;

describe("signals of halftone.yaml", () => {
  it("come from Prometheus or a webhook, with paths relative to the file", () => {
    const found = signals(`
signals:
  - name: checkout
    prometheus: https://metrics.example.com/prometheus?tenant=1
    total: 'sum(orders_total{instance=~"$servers"})'
    bad: 'sum(orders_total{instance=~"$servers",result="failed"}) or vector(0)'
    authorizationFile: ./metrics-authorization
    what: failed orders
    timeout: 1.5s
  - { name: payments, webhook: "http://10.0.0.5/counts", secretFile: ./payments-secret }
  - { name: carts, webhook: "http://10.0.0.5/counts" }
`);
    expect(found).toEqual([
      {
        name: "checkout",
        what: "failed orders",
        timeout: 1500,
        from: {
          kind: "prometheus",
          url: "https://metrics.example.com/prometheus?tenant=1",
          total: 'sum(orders_total{instance=~"$servers"})',
          bad: 'sum(orders_total{instance=~"$servers",result="failed"}) or vector(0)',
          authorizationFile: "/etc/halftone/metrics-authorization",
        },
      },
      {
        name: "payments",
        what: "payments",
        timeout: 3000,
        from: {
          kind: "webhook",
          url: "http://10.0.0.5/counts",
          secretFile: "/etc/halftone/payments-secret",
        },
      },
      {
        name: "carts",
        what: "carts",
        timeout: 3000,
        from: { kind: "webhook", url: "http://10.0.0.5/counts" },
      },
    ]);
    expect(signals("")).toEqual([]);
  });

  it.each([
    [
      "{name: a}",
      'signals[0]: found {"name":"a"}, expected either prometheus, with total and bad, or a webhook',
    ],
    ['{name: a, webhook: "http://x/", prometheus: "http://x/"}', "signals[0].webhook: found "],
    [
      '{name: a, prometheus: "http://x/"}',
      "signals[0].total: found nothing, expected a PromQL query that counts one side",
    ],
    [
      `{name: a, prometheus: "http://x/", total: 'sum(a{b=~"$servers"})', bad: sum(c)}`,
      'signals[0].bad: found "sum(c)", expected a PromQL query that counts one side, by {LABEL=~"$servers"}',
    ],
    [
      `{name: a, prometheus: "http://x/", secretFile: a, ${QUERIES}}`,
      "expected no secretFile beside prometheus",
    ],
    [`{name: a, webhook: "http://x/", ${QUERIES}}`, "signals[0].total: found"],
    ['{name: a, webhook: "http://x/", authorizationFile: a}', "expected no authorizationFile beside webhook"],
    ['{webhook: "http://x/"}', "signals[0].name: found nothing, expected a name of 1 to 64 letters"],
    ['{name: a b, webhook: "http://x/"}', 'signals[0].name: found "a b", expected a name of 1 to 64 letters'],
    [
      '{name: slow90, webhook: "http://x/"}',
      'signals[0].name: found "slow90", expected another name: errors, latency',
    ],
    ['{name: constructor, webhook: "http://x/"}', "words like constructor are taken"],
    ['{name: a, webhook: "http://x/", timeout: 0s}', "signals[0].timeout: found"],
    ['{name: a, webhook: "http://x/", timeout: 11s}', "above zero and up to 10s"],
    ['{name: a, webhook: "http://x/", what: ""}', 'what the bad ones are called, like "failed orders"'],
    ['{name: a, webhok: "http://x/"}', 'did you mean "webhook"?'],
    ["checkout", 'signals[0]: found "checkout", expected a signal, {name, prometheus,'],
  ])("refuse %s", (signal, expected) => {
    expect(refusal(signal).join("\n")).toContain(expected);
  });

  it("have a name each", () => {
    const [one, other] = ['{name: a, webhook: "http://x/"}', '{name: b, webhook: "http://x/"}'];
    expect(refusal(one, other)).toEqual([]);
    expect(refusal(one, other, one)).toEqual([
      'signals[2].name: found "a", expected another name for each signal',
    ]);
  });

  it("show nothing of a URL that is refused", () => {
    const lines = refusal(
      '{name: a, prometheus: "ftp://x/secret"}',
      '{name: b, webhook: "https://u:secret@x/"}',
      '{nam: c, webhook: "https://x/secret"}',
    );
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.join("\n")).not.toContain("secret@");
    expect(lines.join("\n")).not.toContain("/secret");
  });
});
