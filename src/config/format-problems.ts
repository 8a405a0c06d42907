import type { Problem } from "./problem.ts";

/** Problems shown at most; one cause often has thousands of them. */
const MAX_LINES = 50;

/** One line a problem: `groups.group1.servers[2]: found "10.0.4.999", expected an IPv4 or IPv6 address`. */
export function formatProblems(problems: readonly Problem[]): string[] {
  const lines = problems.slice(0, MAX_LINES).map(({ path, found, expected }) => {
    const text = `found ${found}, expected ${expected}`;
    return path === "" ? text : `${path}: ${text}`;
  });
  if (problems.length > MAX_LINES) lines.push(`and ${problems.length - MAX_LINES} more`);
  return lines;
}
