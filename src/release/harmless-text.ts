/** What a terminal takes for a command: CSI and OSC sequences, then any other escape of two characters. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/** Control characters, and those that make text run the other way: what is shown must be what was written. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text of others, for terminals, logs and pages: a program that is run by a hook could otherwise move the cursor, set the
 * title or hide lines on the terminal of who watches the release. Colours go, tabs stay.
 */
export function harmlessText(text: string): string {
  return text.replace(SEQUENCES, "").replace(CONTROLS, "\ufffd");
}
