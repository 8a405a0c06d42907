import { describe, expect, it } from "vitest";
import { isSideQuery, sideQuery } from "./side-query.ts";

describe("a query of one side", () => {
  it.each([
    'sum(orders_total{instance=~"$servers"})',
    "sum(orders_total{instance =~ '$servers', result=\"failed\"}) or vector(0)",
    "sum(orders_total{group=~`$groups`})",
    'sum(orders_total{address=~"http://(?:$servers)/"}) # not "$groups',
    'sum(a{group=~"$groups",instance=~"$servers",path!="/\\"$x"})',
  ])("is %s", (query) => {
    expect(isSideQuery(query)).toBe(true);
  });

  it.each([
    "",
    "sum(orders_total)",
    'sum(orders_total{instance=~"$server"})',
    'sum(orders_total{instance=~"$servers_old"})',
    'sum(orders_total) # {instance=~"$servers"}',
    'sum(orders_total{instance="$servers"})',
    'sum(orders_total{instance!~"$servers"})',
    'sum(orders_total{instance=~"$servers"}) / sum(orders_total{instance!~"$servers"})',
    "sum(orders_total{instance=~$servers})",
    'sum(orders_total{instance=~"$servers"}) + $groups',
  ])("is not %s", (query) => {
    expect(isSideQuery(query)).toBe(false);
  });
});

describe("the variables of a query", () => {
  const side = { servers: ["10.0.4.175:80", "[fd00::1]:80"], groups: ["blue", "a.b"] };

  it.each([
    ['{instance=~"$servers"}', String.raw`{instance=~"(?:10\\.0\\.4\\.175:80|\\[fd00::1\\]:80)"}`],
    ["{instance=~'$servers'}", String.raw`{instance=~'(?:10\\.0\\.4\\.175:80|\\[fd00::1\\]:80)'}`],
    ["{instance=~`$servers`}", String.raw`{instance=~${"`"}(?:10\.0\.4\.175:80|\[fd00::1\]:80)${"`"}}`],
    ['{group=~"x-$groups"} # "$groups"', String.raw`{group=~"x-(?:blue|a\\.b)"} # "$groups"`],
    ['{a="\\"",group=~"$groups"}', String.raw`{a="\"",group=~"(?:blue|a\\.b)"}`],
  ])("in %s are patterns of exactly these names", (query, expected) => {
    expect(sideQuery(query, side)).toBe(expected);
  });

  it.each(["10.0.4.175:80", "[fd00::1%eth0]:80", "unix:/run/a$&b \"c\" 'd' `e` \\f^(g)|h*+?{1}#.sock"])(
    "match %s alone, and end no string",
    (server) => {
      for (const quote of ['"', "'", "`"]) {
        const query = sideQuery(`{a=~${quote}$servers${quote}}`, { servers: [server], groups: [] });
        const inside = query.slice(5, -2);
        expect(inside).not.toContain(quote);
        const pattern = quote === "`" ? inside : inside.replaceAll("\\\\", "\\");
        expect(new RegExp(`^(?:${pattern})$`).test(server)).toBe(true);
        expect(new RegExp(`^(?:${pattern})$`).test(server.replace(/[./[]/, "x"))).toBe(false);
      }
    },
  );
});
