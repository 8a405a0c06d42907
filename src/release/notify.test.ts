import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { NotifyForm, NotifySettings } from "../config/hook-settings.ts";
import { Notifier } from "./notify.ts";
import type { Notice } from "./notify-forms.ts";
import { FakeTime } from "./time.fixture.ts";

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const notice: Notice = {
  text: "shop 2 <@all> & more: 10 %",
  app: "shop",
  release: "r-1",
  version: "2",
};

interface Posted {
  readonly path: string;
  readonly body: unknown;
}

/** `answer`: undefined holds every answer back until `release`. */
async function receiver(answer?: { readonly status?: number; readonly body?: object }) {
  const posts: Posted[] = [];
  const held: (() => void)[] = [];
  let wake = (): void => {};
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      posts.push({ path: request.url ?? "", body: JSON.parse(text) as unknown });
      const reply = (): void => {
        response.writeHead(answer?.status ?? 200).end(JSON.stringify(answer?.body ?? {}));
      };
      if (answer === undefined) held.push(reply);
      else reply();
      wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}/robot?access_token=token`,
    posts,
    posted: async (times: number): Promise<void> => {
      while (posts.length < times) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    release: () => held.splice(0).forEach((reply) => reply()),
  };
}

function notifier(...settings: readonly NotifySettings[]) {
  const time = new FakeTime();
  const warnings: unknown[] = [];
  const log = { info() {}, error() {}, warn: (entry: unknown) => warnings.push(entry) };
  const made = new Notifier(settings, log as never, time);
  open.push(() => made.stop());
  return { notifier: made, time, warnings };
}

async function posted(form: NotifyForm, body: object, secret?: string) {
  const { url, posts, host } = await receiver({ body });
  const settings = { url, form, ...(secret !== undefined && { secretFile: await fileOf(secret) }) };
  const { notifier: made, time, warnings } = notifier(settings);
  made.send(notice);
  await made.settled();
  return { ...posts[0]!, time, warnings, host };
}

async function fileOf(secret: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "halftone-notify-"));
  open.push(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "secret"), `${secret}\n`);
  return join(folder, "secret");
}

describe("a notification", () => {
  it.each([
    ["json", {}, notice],
    ["slack", {}, { text: "shop 2 &lt;@all&gt; &amp; more: 10 %" }],
    ["dingtalk", { errcode: 0 }, { msgtype: "text", text: { content: notice.text } }],
    ["wecom", { errcode: 0 }, { msgtype: "text", text: { content: "shop 2 ＜@all> & more: 10 %" } }],
    ["feishu", { code: 0 }, { msg_type: "text", content: { text: "shop 2 ＜@all> & more: 10 %" } }],
  ] as const)("is put as %s wants it", async (form, answer, expected) => {
    const { body, path, warnings } = await posted(form, answer);
    expect(body).toEqual(expected);
    expect(path).toBe("/robot?access_token=token");
    expect(warnings).toEqual([]);
  });

  it("is signed for DingTalk in the URL", async () => {
    const { path, time } = await posted("dingtalk", { errcode: 0 }, "SECx");
    const query = new URL(path, "http://x").searchParams;
    const timestamp = String(time.now());
    const sign = createHmac("sha256", "SECx").update(`${timestamp}\nSECx`).digest("base64");
    expect(Object.fromEntries(query)).toEqual({ access_token: "token", timestamp, sign });
  });

  it("is signed for Feishu in the body", async () => {
    const { body, time } = await posted("feishu", { code: 0 }, "secret");
    const timestamp = String(time.now() / 1000);
    const sign = createHmac("sha256", `${timestamp}\nsecret`).digest("base64");
    expect(body).toMatchObject({ timestamp, sign });
  });

  it.each([
    [
      "dingtalk",
      { errcode: 310000, errmsg: "keywords not in content" },
      "code 310000: keywords not in content",
    ],
    ["wecom", { errcode: 93000, errmsg: "invalid webhook url" }, "code 93000: invalid webhook url"],
    ["feishu", { code: 19021, msg: "sign match fail" }, "code 19021: sign match fail"],
  ] as const)("that %s refuses with status 200 is logged, without its URL", async (form, answer, failure) => {
    const { warnings, host } = await posted(form, answer);
    expect(warnings).toEqual([{ app: "shop", release: "r-1", form, host, failure }]);
  });

  it("is cut where it is long", async () => {
    const { url, posts } = await receiver({});
    const { notifier: made } = notifier({ url, form: "wecom" });
    made.send({ ...notice, text: "灰".repeat(5000) });
    await made.settled();
    const { text } = posts[0]!.body as { text: { content: string } };
    expect(Buffer.byteLength(text.content)).toBeLessThanOrEqual(2048);
    expect(text.content.endsWith("灰…")).toBe(true);
  });

  it("goes to everybody, whoever fails", async () => {
    const [refusing, good] = [await receiver({ status: 500 }), await receiver({})];
    const { notifier: made, warnings } = notifier(
      { url: "http://127.0.0.1:1/", form: "slack" },
      { url: refusing.url, form: "slack" },
      { url: refusing.url, form: "feishu", secretFile: "/nowhere/secret" },
      { url: good.url, form: "json" },
    );
    made.send(notice);
    await made.settled();
    expect(good.posts).toHaveLength(1);
    expect(warnings.map((entry) => (entry as { failure: string }).failure).sort()).toEqual([
      "ECONNREFUSED",
      "ENOENT",
      "status 500",
    ]);
  });

  it("waits in order, in a bounded queue, and not for ever", async () => {
    const { url, posts, posted: arrived, release } = await receiver();
    const { notifier: made, time, warnings } = notifier({ url, form: "json" });
    for (let number = 0; number <= 150; number++) made.send({ ...notice, text: String(number) });
    await arrived(1);
    time.advance(10_000);
    await arrived(2);
    expect(warnings).toMatchObject([{ failure: "no answer within 10 s", dropped: 50 }]);
    expect(posts.map(({ body }) => (body as Notice).text)).toEqual(["0", "51"]);
    release();
    await arrived(3);
    made.stop();
    await made.settled();
    expect(posts).toHaveLength(3);
    expect(warnings).toHaveLength(1);
  });
});
