import type { JSX, Ref } from "preact";
import { type AppCell, sumOf, worstP99 } from "../data/app-cell.ts";
import { Age } from "../parts/age.tsx";
import { Halftone } from "../parts/halftone.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { TestersRing } from "../parts/testers-ring.tsx";
import { appHref } from "../route.ts";
import { milliseconds, number, percent } from "../text/format.ts";
import { shareInWords, statusInWords } from "../text/release-text.ts";
import { t } from "../text/translate.ts";
import { attentionOfCell } from "./attention-of-cell.ts";

export interface AppCardProps {
  readonly cell: AppCell;
  readonly isCurrent: boolean;
  readonly link: Ref<HTMLAnchorElement> | undefined;
  readonly onFocus: (app: string) => void;
}

/** One app at a glance. */
export function AppCard({ cell, isCurrent, link, onFocus }: AppCardProps): JSX.Element {
  cell.watch();
  const { summary, onNew, traffic } = cell;
  const { name, release } = summary;
  const attention = attentionOfCell(cell);
  const rate = sumOf(traffic, "perSecond");
  const failures = sumOf(traffic, "failuresPerSecond");
  const p99 = worstP99(traffic);
  const isFailing = attention === "failing" || failures > 0;
  return (
    <article class={`card app-card ${attention}`}>
      <header>
        <h2>
          <a
            href={appHref(name)}
            ref={link ?? null}
            tabIndex={isCurrent ? 0 : -1}
            onFocus={() => onFocus(name)}
            aria-label={`${name}, ${statusInWords(summary)}`}
          >
            {name}
          </a>
        </h2>
        <span class={`badge ${attention}`}>{statusInWords(summary)}</span>
      </header>
      <div class="fields">
        <Halftone
          app={name}
          draw={release?.id ?? ""}
          share={onNew}
          columns={20}
          label={shareInWords(onNew, release?.version)}
        />
        <TestersRing isOnNew={cell.testersOnNew} />
      </div>
      <div class="figures">
        <p class="figure">
          <span class="n">{number(rate)}</span>
          <span class="unit">{t("unit.perSecond")}</span>
        </p>
        <Sparkline cell={cell} />
        <p class={`figure ${isFailing ? "bad" : ""}`}>
          <span class="n">{number(failures)}</span>
          <span class="unit">{t("unit.errors")}</span>
        </p>
        <p class="figure">
          <span class="n">{p99 === undefined ? "–" : milliseconds(p99)}</span>
          <span class="unit">p99</span>
        </p>
        <p class="figure">
          <span class="n">{percent(onNew)}</span>
          <span class="unit">{release === null ? t("unit.new") : release.version}</span>
        </p>
      </div>
      <Age at={cell.heardAt} />
    </article>
  );
}
