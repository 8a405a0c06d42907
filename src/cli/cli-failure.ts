/** 0: done · 1: refused or failed · 2: wrong usage · 3: the release was rolled back. */
export type ExitCode = 0 | 1 | 2 | 3;

/** Ends a command with words for people on stderr; anything else thrown is a defect. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Nobody answers there: a gateway that is replaced answers again soon. */
export class Unreachable extends CliFailure {}
