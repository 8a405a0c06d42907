import { createHmac } from "node:crypto";
import type { NotifyForm } from "../config/hook-settings.ts";
import type { PostAnswer } from "./post-json.ts";

/** A message to people about a release. */
export interface Notice {
  readonly text: string;
  readonly app: string;
  readonly release: string;
  readonly version: string;
}

/** One that is to be posted. */
export interface FormedNotice {
  readonly url: string;
  readonly body: object;
}

/** Characters of a message. WeCom takes 2048 bytes, and a character may have three. */
const LONGEST = 600;

/** `secret`: of DingTalk and Feishu robots that demand signatures. `now`: ms since the epoch. */
export function formNotice(
  form: NotifyForm,
  url: string,
  notice: Notice,
  secret: string | undefined,
  now: number,
): FormedNotice {
  const text = notice.text.length <= LONGEST ? notice.text : `${notice.text.slice(0, LONGEST - 1)}…`;
  switch (form) {
    case "json":
      return { url, body: { ...notice, text } };
    // Slack, "Sending messages using incoming webhooks", and "Formatting text": these three are escaped, no others.
    case "slack":
      return {
        url,
        body: { text: text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;") },
      };
    // DingTalk, "Custom robot": text messages; signing by the URL's timestamp (ms) and sign.
    case "dingtalk":
      return { url: signedUrl(url, secret, now), body: { msgtype: "text", text: { content: text } } };
    // WeCom, "Group robot configuration": text messages.
    case "wecom":
      return { url, body: { msgtype: "text", text: { content: withoutMentions(text) } } };
    // Feishu, "Custom bot usage guide": text messages; signing by timestamp (s) and sign beside the content.
    case "feishu":
      return {
        url,
        body: {
          ...feishuSignature(secret, now),
          msg_type: "text",
          content: { text: withoutMentions(text) },
        },
      };
  }
}

/** Why it was not taken; undefined: it was. The robots of three chats say so with status 200. */
export function refusalOf(form: NotifyForm, { status, body }: PostAnswer): string | undefined {
  if (status < 200 || status > 299) return `status ${status}`;
  if (form === "json" || form === "slack") return undefined;
  const answer = jsonOf(body);
  const code = answer["errcode"] ?? answer["code"] ?? answer["StatusCode"];
  if (code === 0) return undefined;
  const reason = answer["errmsg"] ?? answer["msg"];
  return `code ${String(code)}${typeof reason === "string" ? `: ${reason.slice(0, 200)}` : ""}`;
}

/** `<@user>` of WeCom and `<at …>` of Feishu call people: not for whoever may name a version. */
function withoutMentions(text: string): string {
  return text.replaceAll("<", "＜");
}

function signedUrl(url: string, secret: string | undefined, now: number): string {
  if (secret === undefined) return url;
  const signed = new URL(url);
  const sign = createHmac("sha256", secret).update(`${now}\n${secret}`).digest("base64");
  signed.searchParams.set("timestamp", String(now));
  signed.searchParams.set("sign", sign);
  return signed.href;
}

/** The key is what elsewhere would be the message; the message is empty. */
function feishuSignature(secret: string | undefined, now: number): object {
  if (secret === undefined) return {};
  const timestamp = String(Math.floor(now / 1000));
  return { timestamp, sign: createHmac("sha256", `${timestamp}\n${secret}`).update("").digest("base64") };
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
