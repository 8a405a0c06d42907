#!/usr/bin/env node
import { runCli } from "./run-cli.ts";

const { env, stdin, stdout, stderr } = process;
const exitCode = await runCli(process.argv.slice(2), { env, stdin, stdout, stderr });
// A command that runs on (serve) has set its own.
if (exitCode !== 0) process.exitCode = exitCode;
