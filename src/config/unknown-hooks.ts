import type { AppDocument } from "./app-document.ts";
import type { HookSettings } from "./hook-settings.ts";
import type { Problem } from "./problem.ts";

/** Hooks that the document names and halftone.yaml does not have: a release that needs one is refused at its start. */
export function unknownHooksOf(
  { release = {} }: AppDocument,
  hooks: readonly HookSettings[],
): readonly Problem[] {
  const known = hooks.map(({ name }) => name);
  const expected =
    known.length === 0
      ? "nothing, as halftone.yaml has no hooks"
      : `a name of hooks in halftone.yaml: ${known.join(", ")}`;
  return (["update", "restore"] as const).flatMap((key) => {
    const hook = release[key];
    return hook === undefined || known.includes(hook)
      ? []
      : [{ path: `release.${key}`, found: JSON.stringify(hook), expected }];
  });
}
