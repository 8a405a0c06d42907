import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { EVENT_SCHEMAS } from "../src/admin/events/event-types.ts";
import { runCli } from "../src/cli/run-cli.ts";
import { parseAppDocument } from "../src/config/app-document.ts";
import { readDocumentText } from "../src/config/document-text.ts";
import { parseHalftoneConfig } from "../src/config/halftone-config.ts";
import { appJsonSchema } from "../src/config/json-schema.ts";
import { lineOf } from "../src/telemetry/access-log.ts";
import { runAdmin } from "./admin/running-admin.ts";
import { blocksOf, markdownFiles, read, ROOT, rowsOf, sectionOf, spansOf } from "./markdown.ts";

const files = markdownFiles();
const blocks = files.flatMap((file) => blocksOf(read(file)).map(({ mark, text }) => ({ file, mark, text })));
const configuration = read("docs/configuration.md");
const readmes = ["README.md", "README.zh-CN.md"];

describe("examples in the documents", () => {
  const configs = blocks.filter(({ mark }) => mark.startsWith("config"));
  const apps = blocks.filter(({ mark }) => mark === "app");

  it("are there, in both languages", () => {
    for (const file of [...readmes, "docs/configuration.md"]) {
      expect(configs.map((block) => block.file)).toContain(file);
      expect(apps.map((block) => block.file)).toContain(file);
    }
  });

  it.each(configs)("$file: a halftone.yaml is valid", ({ text }) => {
    expect(parseHalftoneConfig(text, "/srv/halftone")).toMatchObject({ ok: true });
  });

  it.each(apps)("$file: an app document is valid", ({ text }) => {
    const parsed = readDocumentText(text);
    // Only the original's converted form has no name: there it is the file's.
    const options = /"(?:image|name)"|^name:/m.test(text) ? undefined : { name: "my_object" };
    expect(parsed.ok ? parseAppDocument(parsed.value, options) : parsed).toMatchObject({ ok: true });
  });

  it("that claim to show the defaults do", () => {
    const shown = configs.filter(({ mark }) => mark === "config defaults");
    expect(shown.length).toBeGreaterThan(0);
    for (const { text } of shown) {
      expect(parseHalftoneConfig(text, "/srv")).toEqual(parseHalftoneConfig("", "/srv"));
    }
  });
});

describe("docs/configuration.md", () => {
  it("names every key of halftone.yaml, and no other", () => {
    expect(keysUnder("halftone.yaml")).toEqual(configKeys());
  });

  it("names every key of an app document, and no other", () => {
    expect(keysUnder("The app document")).toEqual(pathsOf(appJsonSchema() as Schema, "").sort());
  });

  it("names every key of TLS, and no other", () => {
    const listen = (tls: object): string[] => knownKeys({ gateway: { listen: { address: ":1", tls } } });
    const [unknown, files] = [{ "surely-unknown": 1 }, { cert: "a", key: "b" }];
    expect(keysUnder("To clients")).toEqual(
      [
        ...listen({ certificates: [files], ...unknown }),
        ...listen({ certificates: [{ ...files, ...unknown }] }).map((key) => `certificates[].${key}`),
        ...listen({ certificates: [files], clientCertificates: { ca: "a", ...unknown } }).map(
          (key) => `clientCertificates.${key}`,
        ),
      ].sort(),
    );
    expect(keysUnder("To servers")).toEqual(knownKeys({ serverTls: { name: unknown } }).sort());
  });

  it("names every key of hooks and notifications, and no other, beside how releases go", () => {
    const releases = read("docs/releases.md");
    const unknown = { "surely-unknown": 1 };
    expect(keysUnder("Hooks", releases)).toEqual(knownKeys({ hooks: { name: unknown } }).sort());
    expect(keysUnder("Notifications", releases)).toEqual(
      knownKeys({ notify: [{ url: "http://x/", ...unknown }] }).sort(),
    );
  });

  it("names every key of traces, and no other", () => {
    const traces = { endpoint: "http://x/", "surely-unknown": 1 };
    expect(keysUnder("Traces")).toEqual(knownKeys({ traces }).sort());
  });

  it("names every field of the access log, and no other", () => {
    const nothing = {
      app: "",
      group: "",
      server: "",
      client: "",
      method: "",
      target: "",
      error: "",
      release: "",
    };
    const request = { ...nothing, status: 0, bytes: 0, duration: 0, tries: 0, id: "", rule: undefined };
    const fields = Object.keys(JSON.parse(lineOf(request, false, 0)) as object);
    expect(keysUnder("Access log")).toEqual(fields.sort());
  });

  it("names every key of signals, and no other", () => {
    const signal = { name: "name", webhook: "http://x/", "surely-unknown": 1 };
    expect(keysUnder("Signals")).toEqual(knownKeys({ signals: [signal] }).sort());
  });

  /** First cells of the rows: the paths of the keys. */
  function keysUnder(heading: string, text = configuration): string[] {
    return rowsOf(sectionOf(text, heading))
      .flatMap(([key = ""]) => spansOf(key))
      .sort();
  }
});

const SHOWN_EVENTS: Readonly<Record<string, z.ZodType>> = {
  ...EVENT_SCHEMAS,
  reset: z.strictObject({ reason: z.string() }),
};

/** Commands that only hold others. */
const GROUPS = new Set(["app", "directory", "release", "token"]);

describe.each(readmes)("%s", (readme) => {
  const rows = rowsOf(read(readme)).map(([first = ""]) => spansOf(first));

  it("lists every command, and no other", async () => {
    const named = rows.flatMap((spans) => spans.filter((span) => span.startsWith("halftone ")));
    const commands = named.map((span) => /^halftone((?: [a-z]+)+)/.exec(span)?.[1]?.trim() ?? "");
    for (const command of commands) {
      expect(await helpOf(command.split(" "))).toMatch(new RegExp(`^Usage: halftone ${command} `));
    }
    const expected: string[] = [];
    for (const name of await subcommandsOf([])) {
      const below = GROUPS.has(name) ? await subcommandsOf([name]) : [];
      expected.push(...(below.length === 0 ? [name] : below.map((one) => `${name} ${one}`)));
    }
    expect([...commands].sort()).toEqual(expected.sort());
  });

  it("lists every route of the admin API, and no other", async () => {
    const admin = await runAdmin();
    onTestFinished(() => admin.stop());
    const { paths } = (await (await admin.call("/openapi.json")).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const listed = rows.flatMap((spans) => spans.filter((span) => /^[A-Z]+ \//.test(span)));
    expect([...listed].sort()).toEqual(routes.sort());
  });
});

describe("docs/events.md", () => {
  const text = read("docs/events.md");

  it("shows an event of every type, as it is sent", () => {
    const shown = blocksOf(text).filter(({ mark }) => mark.startsWith("event "));
    for (const { mark, text } of shown) {
      const schema = SHOWN_EVENTS[mark.slice("event ".length)];
      expect(schema?.safeParse(JSON.parse(text)), mark).toMatchObject({ success: true });
    }
    expect(shown.map(({ mark }) => mark).sort()).toEqual(
      Object.keys(SHOWN_EVENTS)
        .filter((type) => type !== "verdict")
        .map((type) => `event ${type}`)
        .sort(),
    );
  });

  it("names every type, and no other", () => {
    const named = rowsOf(sectionOf(text, "Types")).flatMap(([type = ""]) => spansOf(type));
    expect(named.sort()).toEqual(Object.keys(SHOWN_EVENTS).sort());
  });
});

describe("links between the documents", () => {
  it.each(files)("%s: lead to files that are there", (file) => {
    const targets = Array.from(
      read(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g),
      (match) => match[1] ?? "",
    );
    const missing = targets.filter((target) => !existsSync(join(ROOT, dirname(file), target)));
    expect(missing).toEqual([]);
  });
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
}

/** `routes[].host`, `groups.NAME.weight`: every key the schema knows. */
function pathsOf(schema: Schema, path: string): string[] {
  const { properties = {}, items, anyOf = [], additionalProperties: others } = schema;
  const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
  const found = [
    ...Object.entries(properties).flatMap(([key, value]) => [below(key)].concat(pathsOf(value, below(key)))),
    ...(items === undefined ? [] : pathsOf(items, `${path}[]`)),
    ...anyOf.flatMap((choice) => pathsOf(choice, path)),
    ...(typeof others === "object" ? pathsOf(others, below("NAME")) : []),
  ];
  return [...new Set(found)];
}

/** The keys that the parser knows beside the one in this document that it does not. */
function knownKeys(document: object): string[] {
  const parsed = parseHalftoneConfig(JSON.stringify(document), "/srv");
  const [problem] = parsed.ok ? [] : parsed.problems;
  return /^one of the keys ([\w, ]+)$/.exec(problem?.expected ?? "")?.[1]?.split(", ") ?? [];
}

/** Asked of the parser, which names the keys it knows beside one it does not. */
function configKeys(): string[] {
  const keys: string[] = [];
  const pending = [""];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const nested = [...(path === "" ? [] : path.split(".")), "surely-unknown"].reduceRight<unknown>(
      (value, key) => ({ [key]: value }),
      1,
    );
    const parsed = parseHalftoneConfig(JSON.stringify(nested), "/srv");
    const expected = parsed.ok ? "" : (parsed.problems[0]?.expected ?? "");
    const known = /^one of the keys ([\w, ]+)$/.exec(expected)?.[1]?.split(", ") ?? [];
    const found = known.map((key) => (path === "" ? key : `${path}.${key}`));
    keys.push(...found);
    pending.push(...found);
  }
  return keys.sort();
}

async function helpOf(command: readonly string[]): Promise<string> {
  let text = "";
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  await runCli([...command, "--help"], { env: {}, stdin: new PassThrough(), stdout: out, stderr: out });
  return text;
}

async function subcommandsOf(command: readonly string[]): Promise<string[]> {
  const list = /^Commands:\n([^]*)/m.exec(await helpOf(command))?.[1] ?? "";
  return Array.from(list.matchAll(/^ {2}(\w+)/gm), (match) => match[1] ?? "").filter(
    (name) => name !== "help",
  );
}
