// @ts-check
import { badServer } from "./bad-server.mjs";
import { clients } from "./clients.mjs";
import { errorsFound } from "./errors-found.mjs";
import { falseAlarms } from "./false-alarms.mjs";
import { flaggerSchedule } from "./flagger-schedule.mjs";
import { forecasts } from "./forecasts.mjs";
import { lateFaults } from "./late-faults.mjs";
import { latency } from "./latency.mjs";
import { limits } from "./limits.mjs";
import { margins } from "./margins.mjs";
import { peersHour } from "./peers-hour.mjs";
import { promotion } from "./promotion.mjs";

/** @type {readonly import("../study.mjs").Study[]} */
export const STUDIES = [
  falseAlarms,
  margins,
  errorsFound,
  lateFaults,
  latency,
  promotion,
  flaggerSchedule,
  peersHour,
  badServer,
  forecasts,
  limits,
  clients,
];
