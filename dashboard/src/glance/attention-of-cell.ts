import { type AppCell, sumOf } from "../data/app-cell.ts";
import { type Attention, attentionOf } from "./attention.ts";

export function attentionOfCell(cell: AppCell): Attention {
  const rate = sumOf(cell.traffic, "perSecond");
  const failing = rate === 0 ? 0 : sumOf(cell.traffic, "failuresPerSecond") / rate;
  return attentionOf({ summary: cell.summary, failing, down: cell.down });
}
