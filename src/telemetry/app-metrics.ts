import { endOfStep } from "../core/verdict/latency-scale.ts";
import {
  DEATHS_SLOT,
  FAILURE_SLOT,
  FAILURES,
  LATENCY_SLOT,
  LATENCY_SUM_SLOT,
  OUTCOME_SLOT,
  OUTCOMES,
  ROW_LENGTH,
} from "../gateway/group-meter.ts";
import type { AppFacts } from "./app-facts.ts";

/** One metric of every app. */
export interface AppMetric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Tells its values, each with its labels after that of the app. */
  readonly read: (app: AppFacts, tell: Tell) => void;
}

/** `suffix` of the metric's name. */
type Tell = (labels: string, value: number, suffix?: string) => void;

/** Ends of steps of the scale, so that nothing has to be guessed: each twice the one before, later ones four times. */
const LATENCY_BUCKETS: readonly { readonly step: number; readonly le: string }[] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13,
].map((doublings) => {
  const step = 8 * (doublings + 4) - 1;
  return { step, le: String(endOfStep(step) / 1000) };
});

/** What is told of each app, in this order. No label is anything that a client has sent. */
export const APP_METRICS: readonly AppMetric[] = [
  {
    name: "halftone_requests_total",
    type: "counter",
    help: "Requests by the class of their answer; none: nobody waited for one any more",
    read: ({ groups }, tell) => {
      for (const { name, row } of groups) {
        if (row === undefined) continue;
        OUTCOMES.forEach((outcome, index) =>
          tell(`${groupLabel(name)},class="${outcome}"`, row[OUTCOME_SLOT + index]!),
        );
      }
    },
  },
  {
    name: "halftone_latency_seconds",
    type: "histogram",
    help: "From the head of a request until its answer began; of more than 500 a second a part stands for all",
    read: ({ groups }, tell) => {
      for (const { name, row } of groups) if (row !== undefined) tellLatency(groupLabel(name), row, tell);
    },
  },
  {
    name: "halftone_tries_total",
    type: "counter",
    help: "Tries sent to servers; a request may take several",
    read: ({ groups }, tell) => {
      for (const { name, totals } of groups) if (name !== "") tell(groupLabel(name), totals.requests);
    },
  },
  {
    name: "halftone_failures_total",
    type: "counter",
    help: "Tries that failed, by why",
    read: ({ groups }, tell) => {
      for (const { name, row } of groups) {
        if (row === undefined || name === "") continue;
        FAILURES.forEach((code, index) =>
          tell(`${groupLabel(name)},code="${code}"`, row[FAILURE_SLOT + index]!),
        );
      }
    },
  },
  {
    name: "halftone_in_flight",
    type: "gauge",
    help: "Requests and tunnels that are with servers",
    read: ({ groups }, tell) => {
      for (const { name, totals } of groups) if (name !== "") tell(groupLabel(name), totals.inFlight);
    },
  },
  {
    name: "halftone_servers",
    type: "gauge",
    help: "Servers of the document by how they are; dead: by requests or by the active check",
    read: ({ groups }, tell) => {
      for (const { name, servers } of groups) {
        if (name === "") continue;
        for (const [state, count] of Object.entries(servers))
          tell(`${groupLabel(name)},state="${state}"`, count);
      }
    },
  },
  {
    name: "halftone_server_deaths_total",
    type: "counter",
    help: "Servers found dead by requests",
    read: ({ groups }, tell) => {
      for (const { name, row } of groups) {
        if (row !== undefined && name !== "") tell(groupLabel(name), row[DEATHS_SLOT]!);
      }
    },
  },
  {
    name: "halftone_server_die_time_seconds",
    type: "gauge",
    help: "Until a server that requests found dead is tried again; 0: that is due. Absent of all others",
    read: ({ groups }, tell) => {
      for (const { name, dieTimes } of groups) {
        for (const [server, seconds] of dieTimes)
          tell(`${groupLabel(name)},server="${escaped(server)}"`, seconds);
      }
    },
  },
  {
    name: "halftone_deploy",
    type: "gauge",
    help: "Which group is under test; 0: none",
    read: ({ deploy }, tell) => tell("", deploy),
  },
  {
    name: "halftone_share_ratio",
    type: "gauge",
    help: "Part of the clients, testers apart, that are sent to the group under test",
    read: ({ share }, tell) => tell("", share / 100),
  },
  {
    name: "halftone_release_state",
    type: "gauge",
    help: "1, of the release that runs or ran last: its status, its phase, and what it waits for",
    read: ({ release }, tell) => {
      if (release === undefined) return;
      const { status, phase, waitingFor } = release;
      tell(`,status="${status}",phase="${phase}",waiting="${waitingFor ?? "nothing"}"`, 1);
    },
  },
  {
    name: "halftone_release_phase_start_timestamp_seconds",
    type: "gauge",
    help: "When its phase began, since the epoch",
    read: ({ release }, tell) => {
      if (release !== undefined) tell("", release.since / 1000);
    },
  },
  {
    name: "halftone_verdict_evidence",
    type: "gauge",
    help: "E of the release that runs against: both versions are alike; the difference is a trifle; it is much worse",
    read: ({ evidence }, tell) => tellEvidence(evidence, "evidence", tell),
  },
  {
    name: "halftone_verdict_evidence_needed",
    type: "gauge",
    help: "What E has to be. Worse takes the first two, not worse the third",
    read: ({ evidence }, tell) => tellEvidence(evidence, "needed", tell),
  },
];

/** The text of a metric for some apps; `heading` comes once, before the first of them. */
export function heading({ name, type, help }: AppMetric): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

export function linesOf(metric: AppMetric, apps: readonly AppFacts[]): string {
  let text = "";
  for (const app of apps) {
    const label = `app="${escaped(app.name)}"`;
    metric.read(app, (labels, value, suffix = "") => {
      text += `${metric.name}${suffix}{${label}${labels}} ${value}\n`;
    });
  }
  return text;
}

/** An empty label is as none: of what belongs to no group. */
function groupLabel(group: string): string {
  return `,group="${escaped(group)}"`;
}

function tellLatency(labels: string, row: Float64Array, tell: Tell): void {
  let [below, slot] = [0, LATENCY_SLOT];
  for (const { step, le } of LATENCY_BUCKETS) {
    for (; slot <= LATENCY_SLOT + step; slot++) below += row[slot]!;
    tell(`${labels},le="${le}"`, below, "_bucket");
  }
  for (; slot < ROW_LENGTH; slot++) below += row[slot]!;
  tell(`${labels},le="+Inf"`, below, "_bucket");
  tell(labels, row[LATENCY_SUM_SLOT]! / 1000, "_sum");
  tell(labels, below, "_count");
}

function tellEvidence(evidence: AppFacts["evidence"], what: "evidence" | "needed", tell: Tell): void {
  if (evidence === undefined) return;
  tell(',against="alike"', evidence.unequal[what]);
  tell(',against="trifle"', evidence.beyond[what]);
  tell(',against="much_worse"', evidence.notWorse[what]);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
