import { beginAgain, note, runAgain, withCondition } from "./release-enter.ts";
import type { CheckedServer, Facts, ReleaseReport } from "./release-event.ts";
import { capacityHere, refusalsHere, stays } from "./release-forward.ts";
import { beginRollback } from "./release-rollback.ts";
import { drainReason, settle, withTrouble } from "./release-settle.ts";
import { groupInTurn, stageInWords, type Refusal, type ReleaseState, type Work } from "./release-state.ts";
import { shortened } from "./release-words.ts";

type Report<T extends ReleaseReport["type"]> = Extract<ReleaseReport, { type: T }>;

/**
 * What a report makes of a release that is not over. What it says is taken in even while the release is paused, and even when
 * nothing follows from it. One that answers another step, change or run than the present ones leaves the same state.
 */
export function takeReport(state: ReleaseState, report: ReleaseReport, now: number): ReleaseState | Refusal {
  switch (report.type) {
    case "tick":
      return settle(state, report.facts, now, "time");
    case "converged":
      return afterwards(state, takeConverged(state, report, now), report, now, "gateways");
    case "drain":
      return afterwards(state, takeDrain(state, report), report, now, "gateways");
    case "hookBegun":
      return takeHookBegun(state, report, now);
    case "hookEnded":
      return afterwards(state, takeHookEnded(state, report, now), report, now, "hook");
    case "health":
      return afterwards(state, takeHealth(state, report), report, now, "health checks");
    case "verdict":
      return takeVerdict(state, report, now);
    case "badServer":
      return takeBadServer(state, report, now);
    case "slower":
      return state.slower === null ? { ...state, slower: report.slower } : state;
  }
}

function afterwards(
  before: ReleaseState,
  state: ReleaseState,
  report: ReleaseReport,
  now: number,
  by: string,
): ReleaseState {
  return state === before ? before : settle(state, report.facts, now, by);
}

function takeConverged(state: ReleaseState, report: Report<"converged">, now: number): ReleaseState {
  if (report.change !== state.change || state.reachedAt !== null) return state;
  return { ...state, converged: state.change, reachedAt: now };
}

/** As long as somebody is still sent there, idleness says nothing. */
function takeDrain(state: ReleaseState, report: Report<"drain">): ReleaseState {
  const { stage } = state;
  if (stage.kind !== "draining" && stage.kind !== "returning") return state;
  if (report.step !== state.step || state.reachedAt === null) return state;
  if (stage.kind === "returning" && !stage.turned) return state;
  const busy = report.busy.map(shortened);
  if (stage.idle === report.idle && sameList(stage.busy, busy)) return state;
  const { trouble } = state;
  const late =
    trouble?.code === "drainTimedOut"
      ? { ...trouble, reason: drainReason(state, report.idle, busy) }
      : trouble;
  return { ...state, stage: { ...stage, idle: report.idle, busy }, trouble: late };
}

/**
 * Leave to run a hook, given once: a run that is begun, and of which the end is not known, is never given leave again. The
 * guards are asked once more, as this is the moment at which servers are touched.
 */
function takeHookBegun(
  state: ReleaseState,
  report: Report<"hookBegun">,
  now: number,
): ReleaseState | Refusal {
  const { stage } = state;
  const work = workOf(state);
  if (work?.run !== report.run || work.progress !== "wanted") {
    const reason = `run ${report.run} is not wanted (any more), it must not be begun; ${stays(state)}`;
    return { code: "hookNotWanted", reason };
  }
  if (state.direction === "forward") {
    if (state.pause !== null) {
      const reason = `${state.pause.by} has paused it; expected resume before the hook begins; ${stays(state)}`;
      return { code: "paused", reason };
    }
    const [refusal] = refusalsHere(state, report.facts, now);
    if (refusal !== undefined) return refusal;
  }
  if (stage.kind !== "updating" && stage.kind !== "restoring") return state;
  const begun = withCondition(withProgress(state, "begun"), stage.turn, "updating");
  return note(begun, now, "hook", `run ${report.run} begins: ${stageInWords(state)}`);
}

function takeHookEnded(state: ReleaseState, report: Report<"hookEnded">, now: number): ReleaseState {
  const { stage } = state;
  if (stage.kind === "returning" && stage.stopping === report.run) {
    return takeStopped(state, report, now);
  }
  const work = workOf(state);
  if (work?.run !== report.run || work.progress !== "begun") return state;
  const detail = shortened(report.detail);
  const told = note(state, now, "hook", `run ${report.run} ended, ${report.outcome}: ${detail}`);
  const group = groupInTurn(state)!.name;
  switch (report.outcome) {
    case "done": {
      const done = withProgress(told, "done");
      return stage.kind === "updating" ? withCondition(done, stage.turn, "new") : done;
    }
    case "failed": {
      const reason = `the hook of ${group} failed: ${detail}; continue runs it again, rollback returns`;
      return withTrouble(withProgress(told, "failed"), "hookFailed", reason, now, "hook");
    }
    case "unknown": {
      if (hookOf(state)?.idempotent === true) return runAgain(told);
      const reason =
        `nobody knows how the hook of ${group} ended: ${detail}; ` +
        "continue if its work is done, retry to run it again, rollback to return (see first that nothing of it runs)";
      return withTrouble(withProgress(told, "unknown"), "hookUnknown", reason, now, "hook");
    }
  }
}

/** An update that a rollback met under way: however it ended, the group is restored, but not before it has. */
function takeStopped(state: ReleaseState, report: Report<"hookEnded">, now: number): ReleaseState {
  const { stage } = state;
  if (stage.kind !== "returning" || state.trouble?.code === "hookUnknown") return state;
  const detail = shortened(report.detail);
  const told = note(state, now, "hook", `run ${report.run} ended, ${report.outcome}: ${detail}`);
  if (report.outcome !== "unknown") return { ...told, stage: { ...stage, stopping: null } };
  const reason =
    `nobody knows whether the hook of ${groupInTurn(state)!.name} still runs: ${detail}; ` +
    "continue when nothing of it runs any more";
  return withTrouble(told, "hookUnknown", reason, now, "hook");
}

/** Servers of which none is known have not passed. */
function takeHealth(state: ReleaseState, report: Report<"health">): ReleaseState {
  const { stage, plan } = state;
  if (stage.kind !== "checking" || report.step !== state.step) return state;
  const behind = report.servers.filter(({ passed }) => passed < plan.checks);
  const failing = behind.flatMap(({ id, error }: CheckedServer) =>
    error === undefined ? [] : [shortened(`${id}: ${error}`)],
  );
  const passed = report.servers.length > 0 && behind.length === 0;
  if (stage.passed === passed && sameList(stage.failing, failing)) return state;
  return { ...state, stage: { ...stage, passed, failing } };
}

/** A worse version goes back by itself, paused or not. Proof that came before every gateway applied the step is none. */
function takeVerdict(state: ReleaseState, report: Report<"verdict">, now: number): ReleaseState {
  const { stage } = state;
  if (state.direction === "back" || report.step !== state.step) return state;
  if (stage.kind !== "shifting" && stage.kind !== "holding" && stage.kind !== "merging") return state;
  const reason = shortened(report.reason);
  if (report.verdict === "worse") return beginRollback(state, report.facts, now, "verdict", reason);
  if (stage.kind !== "shifting" || state.reachedAt === null) return state;
  const proven = stage.proven || report.verdict === "notWorse";
  if (proven === stage.proven && stage.evidence === reason) return state;
  const taken = { ...state, stage: { ...stage, proven, evidence: reason } };
  const told = proven === stage.proven ? taken : note(taken, now, "verdict", `not worse: ${reason}`);
  return settle(told, report.facts, now, "verdict");
}

/** One server is broken, not the version: it gets no request any more, and the step begins anew without it. */
function takeBadServer(state: ReleaseState, report: Report<"badServer">, now: number): ReleaseState {
  const { stage } = state;
  if (state.direction === "back" || report.step !== state.step || state.reachedAt === null) return state;
  if (stage.kind !== "shifting" && stage.kind !== "holding" && stage.kind !== "merging") return state;
  const { server, facts } = report;
  const reason = shortened(report.reason);
  const refusal = whyNotWithout(state, facts);
  if (refusal !== undefined) {
    const why = `${server} is broken and cannot be taken out: ${refusal}; ${reason}`;
    return beginRollback(state, facts, now, "verdict", shortened(why));
  }
  const told = note(state, now, "verdict", `${server} goes into quarantine: ${reason}`);
  return beginAgain({ ...told, quarantined: [...state.quarantined, server] }, now);
}

/** Merged with others a group may lack all its servers and nobody misses them: it would only seem to be released. */
function whyNotWithout(state: ReleaseState, facts: Facts): string | undefined {
  const { name } = groupInTurn(state)!;
  const group = facts.groups[name];
  if (group?.liveWeight === 0) return `no other server of ${name} lives`;
  return capacityHere(state, facts, name)[0]?.reason;
}

function workOf({ stage }: ReleaseState): Extract<Work, { kind: "hook" }> | undefined {
  if (stage.kind !== "updating" && stage.kind !== "restoring") return undefined;
  return stage.work.kind === "hook" ? stage.work : undefined;
}

function withProgress(
  state: ReleaseState,
  progress: Extract<Work, { kind: "hook" }>["progress"],
): ReleaseState {
  const { stage } = state;
  const work = workOf(state);
  if (work === undefined || (stage.kind !== "updating" && stage.kind !== "restoring")) return state;
  return { ...state, stage: { ...stage, work: { ...work, progress } } };
}

function hookOf({ stage, hooks }: ReleaseState): { readonly idempotent: boolean } | null {
  return stage.kind === "updating" ? hooks.update : hooks.restore;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}
