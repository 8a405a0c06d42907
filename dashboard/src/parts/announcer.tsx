import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { cells, ranking } from "../data/live.ts";
import { route } from "../route.ts";
import { placeInWords } from "../text/release-text.ts";

/** Says every change of phase: of the app that is looked at, else of all. */
export function Announcer(): JSX.Element {
  const before = useRef<Map<string, string>>(new Map());
  const [said, setSaid] = useState("");
  const { value: place } = route;
  const only = place.view === "app" ? place.app : undefined;
  const version = ranking.value;
  useEffect(() => {
    const news: string[] = [];
    for (const [name, { release }] of cells) {
      if (release === undefined) continue;
      const words = placeInWords(release);
      const key = `${release.id} ${release.status} ${release.phase} ${release.group} ${release.share}`;
      const known = before.current.get(name);
      before.current.set(name, key);
      if (known !== undefined && known !== key && (only === undefined || only === name))
        news.push(`${name}: ${words}`);
    }
    if (news.length > 0) setSaid(news.slice(0, 3).join(". "));
  }, [version, only]);
  return (
    <p class="spoken" role="status" aria-live="polite">
      {said}
    </p>
  );
}
