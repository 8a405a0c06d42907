import type { NotifySettings } from "../config/hook-settings.ts";
import type { Log } from "../directory/log.ts";
import { codeOf, postJson } from "./post-json.ts";
import { formNotice, type Notice, refusalOf } from "./notify-forms.ts";
import { readSecret } from "./read-secret.ts";
import { REAL_TIME, type Time } from "./time.ts";

/** For one message. */
const TIME_LIMIT = 10_000;
/** Messages that wait for one receiver; beyond that the oldest are dropped. */
const MOST_WAITING = 100;

/** Tells people of releases. Nothing waits for it, and what fails is logged and forgotten. */
export class Notifier {
  private readonly receivers: readonly Receiver[];

  constructor(settings: readonly NotifySettings[], log: Log, time: Time = REAL_TIME) {
    this.receivers = settings.map((one) => new Receiver(one, log, time));
  }

  send(notice: Notice): void {
    for (const receiver of this.receivers) receiver.take(notice);
  }

  /** Resolves when nothing waits to be posted any more. */
  async settled(): Promise<void> {
    await Promise.all(this.receivers.map((receiver) => receiver.settled()));
  }

  /** Drops what waits and what is under way. */
  stop(): void {
    for (const receiver of this.receivers) receiver.stop();
  }
}

/** One after the other, so that they arrive in order. */
class Receiver {
  private readonly settings: NotifySettings;
  private readonly log: Log;
  private readonly time: Time;
  private waiting: Notice[] = [];
  private dropped = 0;
  private posting: Promise<void> | undefined;
  private abort = new AbortController();
  private stopped = false;

  constructor(settings: NotifySettings, log: Log, time: Time) {
    this.settings = settings;
    this.log = log;
    this.time = time;
  }

  take(notice: Notice): void {
    if (this.stopped) return;
    this.waiting.push(notice);
    if (this.waiting.length > MOST_WAITING) {
      this.waiting.shift();
      this.dropped++;
    }
    this.posting ??= this.postAll();
  }

  async settled(): Promise<void> {
    await this.posting;
  }

  stop(): void {
    this.stopped = true;
    this.waiting = [];
    this.abort.abort();
  }

  private async postAll(): Promise<void> {
    for (let notice = this.waiting.shift(); notice !== undefined; notice = this.waiting.shift()) {
      const failure = await this.post(notice);
      if (failure !== undefined && !this.stopped) this.tell(notice, failure);
    }
    this.posting = undefined;
  }

  /** What went wrong. */
  private async post(notice: Notice): Promise<string | undefined> {
    const { form, url, secretFile } = this.settings;
    this.abort = new AbortController();
    let late = false;
    const cancel = this.time.after(TIME_LIMIT, () => {
      late = true;
      this.abort.abort();
    });
    try {
      const secret = secretFile === undefined ? undefined : await readSecret(secretFile);
      const formed = formNotice(form, url, notice, secret, this.time.now());
      const answer = await postJson(formed.url, {}, JSON.stringify(formed.body), this.abort.signal);
      return refusalOf(form, answer);
    } catch (error) {
      return late ? `no answer within ${TIME_LIMIT / 1000} s` : codeOf(error);
    } finally {
      cancel();
    }
  }

  /** Whoever has the URL may post: it is told by its host alone. */
  private tell(notice: Notice, failure: string): void {
    const { form, url } = this.settings;
    const { app, release } = notice;
    const { dropped } = this;
    this.dropped = 0;
    this.log.warn(
      { app, release, form, host: new URL(url).host, failure, ...(dropped > 0 && { dropped }) },
      "a notification was not delivered",
    );
  }
}
