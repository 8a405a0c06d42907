#!/usr/bin/env node
import { runCli } from "./run-cli.ts";

const { env, stdin, stdout, stderr } = process;
// Piped into `head`, the rest is not wanted.
stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
const exitCode = await runCli(process.argv.slice(2), { env, stdin, stdout, stderr });
// A command that runs on (serve) has set its own.
if (exitCode !== 0) process.exitCode = exitCode;
