import { useCallback, useEffect, useState } from "preact/hooks";
import { type ApiProblem, call } from "../data/api.ts";
import { connection } from "../data/feed.ts";

/** What a route of the API answered. */
export interface Resource<T> {
  /** Undefined: not yet, or refused. */
  readonly value: T | undefined;
  readonly problem: ApiProblem | undefined;
  readonly revision: number | undefined;
  readonly refresh: () => void;
}

interface Read<T> {
  readonly path: string;
  readonly value?: T;
  readonly problem?: ApiProblem;
  readonly revision?: number | undefined;
}

/** Reads `path` now, whenever `version` changes, and when the connection comes back; undefined: reads nothing. */
export function useResource<T>(path: string | undefined, version: unknown = 0): Resource<T> {
  const [read, setRead] = useState<Read<T> | undefined>(undefined);
  const [asked, setAsked] = useState(0);
  const isLive = connection.value.kind === "live";
  useEffect(() => {
    if (path === undefined) return undefined;
    let isWanted = true;
    void call<T>(path).then((answer) => {
      if (!isWanted) return;
      if (answer.ok) setRead({ path, value: answer.value, revision: answer.revision });
      // What was read stays on the page while nobody answers.
      else setRead((before) => ({ ...(before?.path === path && before), path, problem: answer.problem }));
    });
    return () => {
      isWanted = false;
    };
  }, [path, version, asked, isLive]);
  const refresh = useCallback(() => setAsked((count) => count + 1), []);
  const current = read?.path === path ? read : undefined;
  return { value: current?.value, problem: current?.problem, revision: current?.revision, refresh };
}
