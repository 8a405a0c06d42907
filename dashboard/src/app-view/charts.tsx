import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import type uPlot from "uplot";
import type { AppCell } from "../data/app-cell.ts";
import { isDark } from "../preferences.ts";
import { clockTime, milliseconds, number } from "../text/format.ts";
import { t } from "../text/translate.ts";
import { type ChartLine, chartData } from "./chart-data.ts";

type Plot = typeof uPlot;

const HEIGHT = 170;
/** Until the charts are asked for again that could not be had, in ms. */
const AGAIN = 2000;

/** Group against group: rate, errors, latency; as long as this page has followed the app, an hour at most. */
export function Charts({ cell }: { readonly cell: AppCell }): JSX.Element {
  cell.watch();
  const [plot, setPlot] = useState<Plot | undefined>(undefined);
  useEffect(() => {
    let isGone = false;
    // Not part of the first load. The gateway may be away just now: then again, as long as somebody looks.
    const load = (): void => {
      import("./plot.ts").then(
        (module) => setPlot(() => module.Plot),
        () => setTimeout(() => isGone || load(), AGAIN),
      );
    };
    load();
    return () => {
      isGone = true;
    };
  }, []);
  const { groups } = cell.summary;
  const lines = (...measures: readonly ChartLine["measure"][]): readonly ChartLine[] =>
    measures.flatMap((measure) => groups.map((group) => ({ group, measure })));
  const hasLatency =
    cell.frames?.some((frame) => frame.groups.some(({ p99 }) => typeof p99 === "number")) === true;
  return (
    <section class="panel charts" aria-labelledby="charts">
      <h2 id="charts">{t("charts.title")}</h2>
      {plot === undefined ? (
        <p class="quiet">{t("loading")}</p>
      ) : (
        <div class="chart-row">
          <Chart plot={plot} cell={cell} title={t("charts.rate")} lines={lines("perSecond")} unit={number} />
          <Chart
            plot={plot}
            cell={cell}
            title={t("charts.errors")}
            lines={lines("failuresPerSecond")}
            unit={number}
          />
          {hasLatency && (
            <Chart
              plot={plot}
              cell={cell}
              title={t("charts.latency")}
              lines={lines("p50", "p99")}
              unit={milliseconds}
            />
          )}
        </div>
      )}
    </section>
  );
}

interface ChartProps {
  readonly plot: Plot;
  readonly cell: AppCell;
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly unit: (value: number) => string;
}

function Chart({ plot, cell, title, lines, unit }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const key = JSON.stringify([lines, title, isDark.value]);
  const version = cell.changed.value;
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new plot(optionsOf(element, lines, unit), chartData(cell.frames ?? [], lines), element);
    chart.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [plot, cell, key]);
  useEffect(() => {
    chart.current?.setData(chartData(cell.frames ?? [], lines));
  }, [version, key]);
  const last = cell.traffic?.groups ?? [];
  const said = lines.map(({ group, measure }) => {
    const value = last.find((row) => row.group === group)?.[measure];
    return `${group}${measure.startsWith("p") && measure !== "perSecond" ? ` ${measure}` : ""}: ${
      typeof value === "number" ? unit(value) : "–"
    }`;
  });
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={`${title}. ${said.join("; ")}`} />
      <ul class="legend" aria-hidden="true">
        {lines.map(({ group, measure }, index) => (
          <li key={`${group}${measure}`} class={`line-${index % 4}`}>
            <span class="n">{said[index]}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

function optionsOf(
  element: HTMLElement,
  lines: readonly ChartLine[],
  unit: (value: number) => string,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const axis = {
    stroke: colour("--ink-soft"),
    font,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    padding: [8, 8, 0, 0],
    scales: { y: { range: (_, __, most) => [0, Math.max(1, (most ?? 0) * 1.15)] } },
    axes: [
      { ...axis, size: 26, space: 90, values: (_, times) => times.map((time) => clockTime(time * 1000)) },
      { ...axis, size: 54, space: 34, values: (_, values) => values.map((value) => unit(value)) },
    ],
    series: [
      {},
      ...lines.map((_, index) => ({
        stroke: colour(`--line-${index % 4}`),
        width: 2,
        points: { show: false },
        // Groups can be told apart without their colours.
        ...(index % 2 === 1 && { dash: [5, 4] }),
      })),
    ],
  };
}
