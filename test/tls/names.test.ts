import { describe, expect, it } from "vitest";
import { NameTable, subjectAltNames } from "../../src/gateway/tls-names.ts";

describe("names of certificates", () => {
  it("are found exactly before by wildcard, and a wildcard covers one label", () => {
    const table = new NameTable<string>();
    table.add("*.shop.test", "wildcard");
    table.add("www.shop.test", "exact");
    table.add("www.shop.test", "later");
    expect(table.find("www.shop.test")).toBe("exact");
    expect(table.find("WWW.Shop.Test")).toBe("exact");
    expect(table.find("api.shop.test")).toBe("wildcard");
    for (const name of ["shop.test", "a.b.shop.test", "", ".", ".shop.test", "__proto__", "*.x", "test"]) {
      expect(table.find(name)).toBeUndefined();
    }
  });

  it("are taken apart without being fooled by a comma in one of them", () => {
    expect(subjectAltNames("DNS:a.test, DNS:*.b.test, IP Address:127.0.0.1, email:a@b.test")).toEqual([
      "DNS:a.test",
      "DNS:*.b.test",
      "IP Address:127.0.0.1",
      "email:a@b.test",
    ]);
    expect(subjectAltNames('URI:"http://a/, DNS:bank.test", DNS:mine.test')).toEqual([
      "URI:http://a/, DNS:bank.test",
      "DNS:mine.test",
    ]);
    expect(subjectAltNames('DNS:a", DNS:bank.test')).toEqual([]);
    expect(subjectAltNames("")).toEqual([]);
  });
});
