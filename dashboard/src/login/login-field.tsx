import type { JSX } from "preact";

const COLUMNS = 22;
const ROWS = 14;

/** Every shade of gray out of dots: what the page is about, before anything is known. */
export function LoginField(): JSX.Element {
  return (
    <svg class="login-field" viewBox={`0 0 ${COLUMNS} ${ROWS}`} aria-hidden="true">
      {Array.from({ length: COLUMNS * ROWS }, (_, dot) => {
        const [x, y] = [dot % COLUMNS, Math.floor(dot / COLUMNS)];
        const wave = Math.sin(x * 0.42 + y * 0.3) * 0.09;
        const level = Math.min(1, Math.max(0, 1 - x / (COLUMNS - 1) + wave));
        return <circle key={dot} cx={x + 0.5} cy={y + 0.5} r={0.06 + 0.4 * level} />;
      })}
    </svg>
  );
}
