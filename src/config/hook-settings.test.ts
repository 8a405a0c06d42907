import { describe, expect, it } from "vitest";

import { formatProblems } from "./format-problems.ts";
import { type HalftoneConfig, parseHalftoneConfig } from "./halftone-config.ts";

function parsed(text: string): HalftoneConfig {
  const result = parseHalftoneConfig(text, "/etc/halftone");
  if (!result.ok) throw new Error(formatProblems(result.problems).join("\n"));
  return result.value;
}

function refusal(text: string): string[] {
  const result = parseHalftoneConfig(text, "/etc/halftone");
  return result.ok ? [] : formatProblems(result.problems);
}

describe("hooks of halftone.yaml", () => {
  it("are commands or webhooks, with paths relative to the file", () => {
    const { hooks } = parsed(`
hooks:
  deploy: { command: [./deploy.sh, ./as-it-stands, ""], per: server, timeout: 90s, idempotent: true }
  restore: { command: [ansible-playbook, restore.yaml] }
  ci: { url: "https://ci.example.com/run?x=1", secretFile: ./ci-secret }
  open: { url: "http://10.0.0.1/" }
`);
    expect(hooks).toEqual([
      {
        name: "deploy",
        action: { kind: "command", command: ["/etc/halftone/deploy.sh", "./as-it-stands", ""] },
        per: "server",
        timeout: 90_000,
        idempotent: true,
      },
      {
        name: "restore",
        action: { kind: "command", command: ["ansible-playbook", "restore.yaml"] },
        per: "group",
        timeout: 600_000,
        idempotent: false,
      },
      {
        name: "ci",
        action: {
          kind: "webhook",
          url: "https://ci.example.com/run?x=1",
          secretFile: "/etc/halftone/ci-secret",
        },
        per: "group",
        timeout: 600_000,
        idempotent: false,
      },
      {
        name: "open",
        action: { kind: "webhook", url: "http://10.0.0.1/" },
        per: "group",
        timeout: 600_000,
        idempotent: false,
      },
    ]);
    expect(parsed("")).toMatchObject({ hooks: [], notify: [] });
  });

  it.each([
    ["{}", "hooks.h: found {}, expected either a command or a url"],
    [
      '{command: [a], url: "http://x/"}',
      'hooks.h.url: found "http://…", expected either a command or a url, not both',
    ],
    [
      "{command: [a], secretFile: b}",
      'hooks.h.secretFile: found "b", expected no secretFile beside a command, which signs nothing',
    ],
    [
      "{command: a}",
      'hooks.h.command: found "a", expected a list of a program and its arguments, ["./deploy.sh", "--fast"]',
    ],
    ["{command: [sleep, 5]}", "hooks.h.command[1]: found 5, expected a text (numbers have to be quoted)"],
    ['{command: [""]}', 'hooks.h.command[0]: found "", expected a program'],
    ["{command: [a], per: host}", 'hooks.h.per: found "host", expected "group" or "server"'],
    [
      "{command: [a], timeout: 0s}",
      'hooks.h.timeout: found "0s", expected a duration with its unit, like "250ms", "10s", "5m" or "1h", above zero',
    ],
    ["{comand: [a]}", 'did you mean "command"?'],
    ["deploy.sh", 'hooks.h: found "deploy.sh", expected a hook, {command,'],
  ])("refuse %s", (hook, expected) => {
    expect(refusal(`hooks: {h: ${hook}}`).join("\n")).toContain(expected);
  });

  it("refuse URLs of other kinds, and show nothing of them: they may be secrets", () => {
    const lines = refusal(
      'hooks: {h: {url: "https://u:secret@x/"}, "a b": {url: "http://x/"}}\n' +
        'notify: [{url: "ftp://x/secret"}, {ulr: "https://x/secret"}]',
    );
    expect(lines.map((line) => line.slice(0, line.indexOf(", expected")))).toEqual([
      'hooks.h.url: found "https://…"',
      'hooks["a b"]: found {"url":"http://…"}',
      'notify[0].url: found "ftp://…"',
      "notify[1].url: found nothing",
      'notify[1].ulr: found "https://…"',
    ]);
    expect(lines[0]).toContain('a URL, "https://…" or "http://…", without user and password');
  });
});

describe("notify of halftone.yaml", () => {
  it("says who is told, and in which form", () => {
    const { notify } = parsed(`
notify:
  - url: https://hooks.example.com/a
  - { url: "https://oapi.dingtalk.com/robot/send?access_token=1", form: dingtalk, secretFile: ding }
`);
    expect(notify).toEqual([
      { url: "https://hooks.example.com/a", form: "json" },
      {
        url: "https://oapi.dingtalk.com/robot/send?access_token=1",
        form: "dingtalk",
        secretFile: "/etc/halftone/ding",
      },
    ]);
  });

  it("knows its forms, and those that are signed", () => {
    expect(refusal('notify: [{url: "http://x/", form: teams}, {url: "http://x/", secretFile: a}]')).toEqual([
      'notify[0].form: found "teams", expected "json", "slack", "dingtalk", "wecom", "feishu"',
      'notify[1].secretFile: found "a", expected no secretFile but for the forms "dingtalk" and "feishu"',
    ]);
  });
});
