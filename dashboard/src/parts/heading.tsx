import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";

let isFirst = true;

/** The heading of a view: it has the focus when the view is entered, so that a screen reader begins there. */
export function Heading({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${heading.current?.textContent ?? ""} · Halftone`;
    // At the start the page begins at its top.
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
