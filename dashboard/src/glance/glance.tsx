import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { type AppCell, sumOf } from "../data/app-cell.ts";
import { cells, membership, ranking, readAt } from "../data/live.ts";
import { Heading } from "../parts/heading.tsx";
import { t, type TextKey } from "../text/translate.ts";
import { AppCard } from "./app-card.tsx";
import { ATTENTION, type Attention, urgency } from "./attention.ts";
import { attentionOfCell } from "./attention-of-cell.ts";
import { type GridWindow, gridWindow, itemAfter } from "./grid-window.ts";

const ROW_HEIGHT = 212;
const GAP = 16;
const LEAST_WIDTH = 320;

const ORDERS = ["attention", "name", "traffic"] as const;
type Order = (typeof ORDERS)[number];
const FILTERS = ["all", "attention", "releasing"] as const;
type Filter = (typeof FILTERS)[number];

/** All apps: those first that need a look. */
export function Glance(): JSX.Element {
  const sought = useSignal("");
  const order = useSignal<Order>("attention");
  const filter = useSignal<Filter>("all");
  const version = `${membership.value} ${ranking.value}`;
  const shown = useMemo(
    () => arranged([...cells.values()], sought.value, order.value, filter.value),
    [version, sought.value, order.value, filter.value],
  );
  return (
    <>
      <Heading>{t("glance.title")}</Heading>
      <Counts />
      <form class="toolbar" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>{t("glance.search")}</span>
          <input
            type="search"
            value={sought.value}
            onInput={({ currentTarget }) => (sought.value = currentTarget.value)}
          />
        </label>
        <label>
          <span>{t("glance.order")}</span>
          <select
            value={order.value}
            onChange={({ currentTarget }) => (order.value = currentTarget.value as Order)}
          >
            {ORDERS.map((one) => (
              <option key={one} value={one}>
                {t(`glance.order.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("glance.filter")}</span>
          <select
            value={filter.value}
            onChange={({ currentTarget }) => (filter.value = currentTarget.value as Filter)}
          >
            {FILTERS.map((one) => (
              <option key={one} value={one}>
                {t(`glance.filter.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <p class="quiet" role="status">
          {t("glance.shown", { shown: shown.length, all: cells.size })}
        </p>
      </form>
      {readAt.value !== undefined && shown.length === 0 ? (
        <p class="empty">{t(cells.size === 0 ? "glance.none" : "glance.noneFound")}</p>
      ) : (
        <CardGrid shown={shown} />
      )}
    </>
  );
}

/** How many apps there are of each kind, as a line of dots and numbers. */
function Counts(): JSX.Element {
  void ranking.value;
  void membership.value;
  const counts = new Map<Attention, number>();
  for (const cell of cells.values()) {
    const attention = attentionOfCell(cell);
    counts.set(attention, (counts.get(attention) ?? 0) + 1);
  }
  return (
    <ul class="counts" aria-label={t("glance.counts")}>
      {ATTENTION.toReversed().map((attention) => {
        const count = counts.get(attention) ?? 0;
        return (
          <li key={attention} class={`${attention} ${count === 0 ? "none" : ""}`}>
            <span class="n">{count}</span> {t(`attention.${attention}` satisfies TextKey)}
          </li>
        );
      })}
    </ul>
  );
}

function arranged(all: readonly AppCell[], sought: string, order: Order, filter: Filter): readonly AppCell[] {
  const words = sought.trim().toLowerCase();
  const kept = all.filter((cell) => {
    if (!cell.summary.name.toLowerCase().includes(words)) return false;
    if (filter === "all") return true;
    const attention = attentionOfCell(cell);
    if (filter === "attention") return urgency(attention) >= urgency("failing");
    return attention !== "quiet" && cell.summary.deploy !== 0;
  });
  const byName = (one: AppCell, other: AppCell): number => (one.summary.name < other.summary.name ? -1 : 1);
  const keyOf = (cell: AppCell): number =>
    order === "attention"
      ? urgency(attentionOfCell(cell))
      : order === "traffic"
        ? // Steps of a factor of two: else neighbours would change places every second.
          Math.floor(Math.log2(1 + sumOf(cell.traffic, "perSecond")))
        : 0;
  const keys = new Map(kept.map((cell) => [cell, keyOf(cell)]));
  return kept.sort((one, other) => keys.get(other)! - keys.get(one)! || byName(one, other));
}

function CardGrid({ shown }: { readonly shown: readonly AppCell[] }): JSX.Element {
  const grid = useRef<HTMLUListElement>(null);
  const [part, setPart] = useState<GridWindow | undefined>(undefined);
  const [current, setCurrent] = useState<string | undefined>(undefined);
  const wanted = useRef<string | undefined>(undefined);
  const link = useRef<HTMLAnchorElement>(null);
  const count = shown.length;
  useLayoutEffect(() => {
    const measure = (): void => {
      if (grid.current === null) return;
      const { top, width } = grid.current.getBoundingClientRect();
      const measures = {
        count,
        width,
        leastWidth: Math.min(LEAST_WIDTH, width),
        gap: GAP,
        rowHeight: ROW_HEIGHT,
      };
      const next = gridWindow({ ...measures, from: -top, to: innerHeight - top });
      setPart((before) => (before !== undefined && isSame(before, next) ? before : next));
    };
    measure();
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, [count]);
  useEffect(() => {
    if (wanted.current === undefined || link.current === null) return;
    wanted.current = undefined;
    link.current.focus();
  });
  const { columns = 1, slots = 1, first = 0, end = 0, height = 0, top = 0 } = part ?? {};
  const drawn = shown.slice(first, end);
  const place = shown.findIndex(({ summary }) => summary.name === current);
  // One of those that are drawn can always be reached by Tab.
  const reachable = place >= first && place < end ? current : drawn[0]?.summary.name;
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = itemAfter(event.key, Math.max(0, place), columns, count);
    const name = next === undefined ? undefined : shown[next]?.summary.name;
    if (next === undefined || name === undefined || grid.current === null) return;
    event.preventDefault();
    wanted.current = name;
    setCurrent(name);
    const offset = grid.current.getBoundingClientRect().top + Math.floor(next / columns) * (ROW_HEIGHT + GAP);
    if (offset < 90) scrollBy({ top: offset - 90 });
    else if (offset + ROW_HEIGHT > innerHeight) scrollBy({ top: offset + ROW_HEIGHT + GAP - innerHeight });
  };
  return (
    <ul
      class="grid"
      ref={grid}
      style={{ height: `${height}px` }}
      onKeyDown={onKeyDown}
      aria-label={t("glance.title")}
    >
      {drawn.map((cell, index) => {
        const { name } = cell.summary;
        const row = Math.floor(index / columns);
        const column = index % columns;
        const style = {
          top: `${top + row * (ROW_HEIGHT + GAP)}px`,
          left: `calc((100% + ${GAP}px) / ${columns} * ${column})`,
          width: `calc((100% + ${GAP}px) / ${columns} - ${GAP}px)`,
          height: `${ROW_HEIGHT}px`,
        };
        return (
          // What leaves the view is used again for what enters it: else scrolling makes garbage faster than it is collected.
          <li
            key={(first + index) % slots}
            style={style}
            aria-setsize={count}
            aria-posinset={first + index + 1}
          >
            <AppCard
              cell={cell}
              isCurrent={name === reachable}
              link={name === current ? link : undefined}
              onFocus={setCurrent}
            />
          </li>
        );
      })}
    </ul>
  );
}

function isSame(one: GridWindow, other: GridWindow): boolean {
  return (
    one.columns === other.columns &&
    one.slots === other.slots &&
    one.first === other.first &&
    one.end === other.end &&
    one.height === other.height &&
    one.top === other.top
  );
}
