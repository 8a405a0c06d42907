import { note, runAgain } from "./release-enter.ts";
import type { ReleaseCommand } from "./release-event.ts";
import { isReady, refusalsHere, stays, stepForward } from "./release-forward.ts";
import { beginRollback, stepBack, turnPublic } from "./release-rollback.ts";
import {
  stageInWords,
  type Refusal,
  type RefusalCode,
  type ReleaseState,
  type Trouble,
} from "./release-state.ts";
import { waitInWords } from "./release-waiting.ts";
import { shortened } from "./release-words.ts";

/** What a person's word makes of a release that is not over. */
export function obey(state: ReleaseState, command: ReleaseCommand, now: number): ReleaseState | Refusal {
  if (command.type === "rollback") return rollBack(state, command, now);
  if (command.step !== undefined && command.step !== state.step) {
    return refusal(
      state,
      "stale",
      `${command.type} was said to step ${command.step}, but this is step ${state.step}`,
    );
  }
  switch (command.type) {
    case "continue":
      return state.direction === "back"
        ? continueBack(state, command, now)
        : continueForward(state, command, now);
    case "retry":
      return retry(state, command, now);
    case "pause":
      return pause(state, command, now);
    case "resume":
      return resume(state, command, now);
  }
}

/** Said again while it goes back, it changes nothing. */
function rollBack(state: ReleaseState, command: ReleaseCommand, now: number): ReleaseState {
  if (state.direction === "back") return state;
  return beginRollback(
    state,
    command.facts,
    now,
    command.by,
    shortened(command.reason ?? `${command.by} asked for it`),
  );
}

function pause(state: ReleaseState, { by, reason }: ReleaseCommand, now: number): ReleaseState | Refusal {
  if (state.direction === "back") {
    return refusal(state, "rollingBack", "it goes back, which cannot be paused");
  }
  if (state.pause !== null) return refusal(state, "alreadyPaused", `${state.pause.by} has paused it already`);
  const paused = {
    ...state,
    pause: { by, reason: reason === undefined ? null : shortened(reason), at: now },
  };
  return note(paused, now, by, reason === undefined ? "paused" : `paused: ${shortened(reason)}`);
}

/** Time goes on from where it stood. The next step is not taken by this, but by what comes next. */
function resume(state: ReleaseState, { by }: ReleaseCommand, now: number): ReleaseState | Refusal {
  if (state.pause === null) {
    return refusal(state, "notPaused", `nobody has paused it; it waits for ${waitInWords(state)}`);
  }
  const { reachedAt, pause } = state;
  const stood = reachedAt === null ? 0 : Math.max(0, now - Math.max(pause.at, reachedAt));
  const resumed = { ...state, pause: null, reachedAt: reachedAt === null ? null : reachedAt + stood };
  return note(resumed, now, by, "resumed");
}

function continueForward(state: ReleaseState, command: ReleaseCommand, now: number): ReleaseState | Refusal {
  if (state.pause !== null) return refusePaused(state, "continue");
  const said = note(state, now, command.by, continueInWords(state));
  const { stage, trouble } = state;
  if (trouble?.code === "hookFailed") return retry(state, command, now);
  if (trouble === null) {
    const waits =
      (stage.kind === "updating" && stage.work.kind === "person") ||
      ((stage.kind === "testing" || stage.kind === "shifting" || stage.kind === "holding") &&
        stage.wait.until === "continue");
    if (!waits) return refuseContinue(state);
    if (state.reachedAt === null) {
      return refusal(state, "notReached", "not every gateway applies this step yet");
    }
  }
  return stepForward(said, command.facts, now, command.by);
}

/** No guard stands in the way back. */
function continueBack(state: ReleaseState, command: ReleaseCommand, now: number): ReleaseState | Refusal {
  const { by, facts } = command;
  const { stage } = state;
  const said = { ...note(state, now, by, continueInWords(state)), trouble: null };
  if (state.trouble?.code === "hookFailed") return retry(state, command, now);
  if (stage.kind === "returning") {
    if (!stage.turned) return turnPublic(said, facts, now, by, true);
    if (state.trouble === null) return refuseContinue(state);
    const accepted =
      state.trouble.code === "hookUnknown" ? { ...stage, stopping: null } : { ...stage, idle: true };
    const next = { ...said, stage: accepted };
    return isReady(next, now) ? stepBack(next, facts, now, by) : next;
  }
  const waits =
    stage.kind === "checking" ||
    (stage.kind === "restoring" && (stage.work.kind === "person" || state.trouble !== null));
  return waits ? stepBack(said, facts, now, by) : refuseContinue(state);
}

function retry(state: ReleaseState, command: ReleaseCommand, now: number): ReleaseState | Refusal {
  const { stage, trouble } = state;
  if (state.pause !== null) return refusePaused(state, "retry");
  const failed = trouble?.code === "hookFailed" || trouble?.code === "hookUnknown";
  if (!failed || (stage.kind !== "updating" && stage.kind !== "restoring")) {
    return refusal(state, "nothingToRetry", `no hook has failed; it waits for ${waitInWords(state)}`);
  }
  if (stage.kind === "updating") {
    const [found] = refusalsHere(state, command.facts, now);
    if (found !== undefined) return found;
  }
  return note(runAgain(state), now, command.by, `the hook is run again: ${stageInWords(state)}`);
}

const TROUBLE_CONTINUED: Readonly<Record<Trouble["code"], string>> = {
  drainTimedOut: "continue, though requests are under way",
  hookFailed: "continue",
  hookUnknown: "continue: the hook is over and its work done",
  noVerdict: "continue, without proof",
};

function continueInWords({ trouble }: ReleaseState): string {
  return trouble === null ? "continue" : TROUBLE_CONTINUED[trouble.code];
}

function refusePaused(state: ReleaseState, what: string): Refusal {
  const { pause } = state;
  return refusal(state, "paused", `${pause!.by} has paused it; expected resume before ${what}`);
}

function refuseContinue(state: ReleaseState): Refusal {
  return refusal(state, "nothingToContinue", `it waits for ${waitInWords(state)}, not for a person`);
}

function refusal(state: ReleaseState, code: RefusalCode, reason: string): Refusal {
  return { code, reason: `${reason}; ${stays(state)}` };
}
