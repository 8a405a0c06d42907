import path from "node:path";
import * as z from "zod";

import { parseDuration } from "./duration.ts";
import {
  checkedText,
  closedObject,
  duration,
  filePath,
  flag,
  httpUrl,
  listOf,
  nonEmptyListOf,
} from "./schema-fields.ts";
import { NAME, NAME_EXPECTED } from "./names.ts";

/** A hook of `halftone.yaml`, checked: paths absolute, durations in ms. */
export interface HookSettings {
  readonly name: string;
  /** A program with its arguments, run without a shell; or a URL that is posted to. */
  readonly action:
    | { readonly kind: "command"; readonly command: readonly string[] }
    | {
        readonly kind: "webhook";
        readonly url: string;
        /** File with the secret that signs what is posted, read for each run. Absent: nothing is signed. */
        readonly secretFile?: string;
      };
  /** Once for the group, or once for each of its servers, one after the other. Default group. */
  readonly per: "group" | "server";
  /** For one run of it: with `per: server`, for each server. Default 10 minutes. */
  readonly timeout: number;
  /** It may be run again when nobody knows how it ended. Default false. */
  readonly idempotent: boolean;
}

/** How a message is put for the receiver: plainly as JSON, or as text for the robot of a chat. */
export type NotifyForm = "json" | "slack" | "dingtalk" | "wecom" | "feishu";

/** Somebody who is told of releases. */
export interface NotifySettings {
  readonly url: string;
  /** Default json. */
  readonly form: NotifyForm;
  /** File with the secret of a DingTalk or Feishu robot that demands signatures, read for each message. */
  readonly secretFile?: string;
}

const TEN_MINUTES = 600_000;

const hookName = checkedText((name) => NAME.test(name), NAME_EXPECTED);

const argument = checkedText((text) => !text.includes("\0"), "a text (numbers have to be quoted)");

const ACTION_EXPECTED = "either a command or a url";
const HOOK_EXPECTED =
  "a hook, {command, per, timeout, idempotent} or {url, secretFile, per, timeout, idempotent}";

interface WrittenHook {
  readonly command?: readonly string[];
  readonly url?: string;
  readonly secretFile?: string;
  readonly per?: "group" | "server";
  readonly timeout?: string;
  readonly idempotent?: boolean;
}

const hookSchema: z.ZodType<WrittenHook> = closedObject(
  {
    command: nonEmptyListOf(argument, 'a program and its arguments, ["./deploy.sh", "--fast"]')
      .refine((command) => command[0] !== "", { path: [0], error: "a program" })
      .exactOptional(),
    url: httpUrl().exactOptional(),
    secretFile: filePath().exactOptional(),
    per: z.enum(["group", "server"], '"group" or "server"').exactOptional(),
    timeout: duration().exactOptional(),
    idempotent: flag().exactOptional(),
  },
  HOOK_EXPECTED,
)
  .refine(({ command, url }) => command !== undefined || url !== undefined, ACTION_EXPECTED)
  .refine(({ command, url }) => command === undefined || url === undefined, {
    path: ["url"],
    error: `${ACTION_EXPECTED}, not both`,
  })
  .refine(({ command, secretFile }) => command === undefined || secretFile === undefined, {
    path: ["secretFile"],
    error: "no secretFile beside a command, which signs nothing",
  });

export const hooksSchema: z.ZodType<Readonly<Record<string, WrittenHook>>> = z.record(
  hookName,
  hookSchema,
  "hooks by name, {deploy: {command, per, timeout, idempotent}, …}",
);

const FORMS: readonly NotifyForm[] = ["json", "slack", "dingtalk", "wecom", "feishu"];

interface WrittenNotify {
  readonly url: string;
  readonly form?: NotifyForm;
  readonly secretFile?: string;
}

const notifySchema: z.ZodType<WrittenNotify> = closedObject(
  {
    url: httpUrl(),
    form: z.enum(FORMS, FORMS.map((form) => `"${form}"`).join(", ")).exactOptional(),
    secretFile: filePath().exactOptional(),
  },
  "who is told of releases, {url, form, secretFile}",
).refine(({ form, secretFile }) => secretFile === undefined || form === "dingtalk" || form === "feishu", {
  path: ["secretFile"],
  error: 'no secretFile but for the forms "dingtalk" and "feishu"',
});

export const notifyListSchema: z.ZodType<readonly WrittenNotify[]> = listOf(
  notifySchema,
  "those who are told of releases, {url, form, secretFile}",
);

/** `baseFolder`: where relative paths start. */
export function hookSettings(
  written: Readonly<Record<string, WrittenHook>>,
  baseFolder: string,
): readonly HookSettings[] {
  return Object.entries(written).map(([name, { per, timeout, idempotent, ...action }]) => ({
    name,
    action: actionOf(action, baseFolder),
    per: per ?? "group",
    timeout: timeout === undefined ? TEN_MINUTES : parseDuration(timeout)!,
    idempotent: idempotent ?? false,
  }));
}

function actionOf(
  { command: [program = "", ...args] = [], url, secretFile }: WrittenHook,
  baseFolder: string,
): HookSettings["action"] {
  if (url !== undefined) return { kind: "webhook", url, ...absoluteSecret(secretFile, baseFolder) };
  // A bare name is looked up in PATH, as everywhere.
  const found = program.includes("/") ? path.resolve(baseFolder, program) : program;
  return { kind: "command", command: [found, ...args] };
}

export function notifySettings(
  written: readonly WrittenNotify[],
  baseFolder: string,
): readonly NotifySettings[] {
  return written.map(({ url, form = "json", secretFile }) => ({
    url,
    form,
    ...absoluteSecret(secretFile, baseFolder),
  }));
}

function absoluteSecret(secretFile: string | undefined, baseFolder: string): { secretFile?: string } {
  return secretFile === undefined ? {} : { secretFile: path.resolve(baseFolder, secretFile) };
}
